"""
Promise: the report of the june-12 rehearsal is a page that a browser shows as it was meant: in the light, in the dark,
on paper and on a narrow screen; quietly, without the network, readable, and with nothing that runs over or overlaps.

Needs Debian's ``chromium``; without it this fails and says so. Mutants that turn it red: another byte in the style
after its digest; ``--muted`` as pale as the paper; ``min-width`` on a table outside ``.scroll``; ``writing.width``
halved; ``_marks`` with one lane for all.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from rekindle.report import html
from tests.pictures import june_12
from tests.report.samples import retold, sample

pytestmark = pytest.mark.system

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
READABLE = 4.5  # the contrast of WCAG AA
LONG = "kustomization/a-namespace-with-a-long-name/WWWW-an-application-with-a-very-long-name-iiii"
