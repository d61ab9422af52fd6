# SPDX-License-Identifier: MIT
"""A command of a program as they grow: thirty imports, of which this command uses five."""

import argparse
import asyncio
import concurrent.futures
import csv
import decimal
import email.message
import fractions
import http.server
import json
import logging.config
import multiprocessing.pool
import pathlib
import random
import sqlite3
import statistics
import sys
import tarfile
import tempfile
import unittest.mock
import urllib.request
import uuid
import xml.etree.ElementTree as tree
import zipfile

import attrs
import flask
import pydantic
import requests
import rich.console
import tornado.web
import yaml


def show(arguments):
    """The command that is run: argparse, json, pathlib, random and sys."""
    found = {"files": sorted(path.name for path in pathlib.Path(arguments.folder).glob("*.py"))}
    found["pick"] = random.Random(1).choice([1, 2, 3])
    json.dump(found, sys.stdout)


def others():
    """What the other commands use."""
    return (
        asyncio.run, concurrent.futures.ThreadPoolExecutor, csv.reader, decimal.Decimal,
        email.message.EmailMessage, fractions.Fraction, http.server.HTTPServer,
        logging.config.dictConfig, multiprocessing.pool.Pool, sqlite3.connect,
        statistics.median, tarfile.open, tempfile.mkdtemp, unittest.mock.Mock,
        urllib.request.urlopen, uuid.uuid4, tree.parse, zipfile.ZipFile, attrs.define,
        flask.Flask, pydantic.BaseModel, requests.get, rich.console.Console,
        tornado.web.Application, yaml.safe_load,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    show(parser.parse_args())
