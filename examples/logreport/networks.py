# SPDX-License-Identifier: MIT
"""Finds the country of an address in the table of networks."""

import csv


class NetworkTable:
    """A table file with a quarter of the addresses of one first octet a row."""

    def __init__(self, path):
        self.path = path

    def rows(self):
        with open(self.path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield int(row["first"]), int(row["second"]), row["country"]

    def country_of(self, host):
        first, second = map(int, host.split(".")[:2])
        networks = {
            (row_first, row_second): country for row_first, row_second, country in self.rows()
        }
        return networks.get((first, second // 64 * 64), "unknown")
