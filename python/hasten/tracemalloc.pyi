# SPDX-License-Identifier: MIT
from hasten._tracemalloc import Table
from hasten._tracemalloc import clear_traces as clear_traces
