# SPDX-License-Identifier: MIT
"""Reads a web server's access log and says who came, from where and for what.

This is the sample that `make run` profiles. `generate` writes a log to work on,
`parse` reads it record by record, `agents` and `networks` say what a record's
client was, `sessions` groups records into visits, `report` writes the results.
"""
