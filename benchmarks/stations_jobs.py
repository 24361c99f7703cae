"""One job of `benchmarks.stations` in a separate process: `python -m benchmarks.stations_jobs NAME FILE FOLDER`.

All but `assay` do the same and no more: a table a station of daily means as CSV, the lineage of every row with its
SHA-256 as CSV, and the SHA-256 of the file. Prints the seconds that the job took once its libraries were imported, the
seconds of CPU, and the peak of RSS in MB, as JSON.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

_COLUMNS = ("Station_ID", "Date_Time", "PCode", "Result")
_FORMAT = "%Y-%m-%d %H:%M:%S"


def pandas_rows() -> Callable[[Path, Path], None]:
    """Pandas as people write it: a loop over the rows."""
    import pandas as pd  # noqa: PLC0415

    def job(file: Path, folder: Path) -> None:
        _hash_of(file)
        frame = pd.read_csv(file)
        frame["Date_Time"] = pd.to_datetime(frame["Date_Time"])
        frame["Result"] = pd.to_numeric(frame["Result"], errors="coerce")
        lineage = []
        for number, row in frame.iterrows():
            text = f"{row['Station_ID']}|{row['Date_Time']}|{row['PCode']}|{row['Result']}"
            digest = hashlib.sha256(text.encode()).hexdigest()
            lineage.append({"row": number, **{name: row[name] for name in _COLUMNS}, "hash": digest})
        pd.DataFrame(lineage).to_csv(folder / "lineage.csv", index=False)
        frame["Date"] = frame["Date_Time"].dt.date
        for station in frame["Station_ID"].unique():
            wide = frame[frame["Station_ID"] == station].pivot_table("Result", "Date", "PCode", "mean")
            wide.to_csv(folder / f"{station}.csv")

    return job


def pandas_vectors() -> Callable[[Path, Path], None]:
    """Pandas by columns; it has no SHA-256, so that of the rows stays a loop over texts."""
    import pandas as pd  # noqa: PLC0415

    def job(file: Path, folder: Path) -> None:
        _hash_of(file)
        frame = pd.read_csv(file, usecols=_COLUMNS, dtype={"Station_ID": "category", "PCode": "category"})
        text = frame["Station_ID"].astype(str) + "|" + frame["Date_Time"] + "|" + frame["PCode"].astype(str)
        text += "|" + frame["Result"].fillna("")
        lineage = frame.assign(hash=[hashlib.sha256(one.encode()).hexdigest() for one in text])
        lineage.to_csv(folder / "lineage.csv", index_label="row")
        frame["Result"] = pd.to_numeric(frame["Result"], errors="coerce")
        frame["Date"] = pd.to_datetime(frame["Date_Time"], format=_FORMAT).dt.normalize()
        means = frame.groupby(["Station_ID", "Date", "PCode"], observed=True)["Result"].mean()
        for station, part in means.groupby(level=0, observed=True):
            part.droplevel(0).unstack().to_csv(folder / f"{station}.csv")

    return job


def duckdb_sql() -> Callable[[Path, Path], None]:
    """DuckDB, with the file hashed meanwhile."""
    import duckdb  # noqa: PLC0415

    def job(file: Path, folder: Path) -> None:
        hashing = threading.Thread(target=_hash_of, args=(file,))
        hashing.start()
        database = duckdb.connect(str(folder / "rows.duckdb"))
        database.execute("set memory_limit = '1GB'")
        database.execute(
            "create table rows as select Station_ID, Date_Time, PCode, Result from read_csv(?, all_varchar = true)",
            [str(file)],
        )
        database.execute(
            "copy (select row_number() over () as row, *, "  # noqa: S608 - a folder of our own
            "sha256(concat_ws('|', Station_ID, Date_Time, PCode, "
            f"coalesce(Result, ''))) as hash from rows) to '{folder}/lineage.csv'"
        )
        database.execute(
            "create table means as select Station_ID, Date_Time::timestamp::date as Date, PCode, "
            "avg(try_cast(Result as double)) as Mean from rows group by all"
        )
        for (station,) in database.execute("select distinct Station_ID from means").fetchall():
            database.execute(
                "copy (pivot (select Date, PCode, Mean "  # noqa: S608 - stations of our own
                f"from means where Station_ID = '{station}') on PCode "
                f"using any_value(Mean) group by Date order by Date) to '{folder}/{station}.csv'"
            )
        hashing.join()

    return job


def polars_bare() -> Callable[[Path, Path], None]:
    """The least that Polars can do it with: streaming, keys as Enum and Date, one pass, the file hashed meanwhile."""
    import polars as pl  # noqa: PLC0415
    import polars_hash as plh  # noqa: PLC0415

    def job(file: Path, folder: Path) -> None:
        hashing = threading.Thread(target=_hash_of, args=(file,))
        hashing.start()
        # The head has all names, as whoever writes such a job for a file of his own would know them.
        head = pl.read_csv(file, columns=["Station_ID", "PCode"], n_rows=10_000)
        kinds = {name: pl.Enum(head[name].unique().sort()) for name in head.columns}
        rows = pl.scan_csv(file, row_index_name="row", infer_schema=False).select("row", *_COLUMNS)
        text = pl.concat_str([pl.col(name).fill_null("") for name in _COLUMNS], separator="|")
        lineage = rows.with_columns(text.alias("hash")).with_columns(plh.col("hash").chash.sha2_256())
        means = (
            rows.select(
                *(pl.col(name).cast(kind) for name, kind in kinds.items()),
                pl.col("Date_Time").str.to_datetime(_FORMAT, time_unit="us").dt.date().alias("Date"),
                pl.col("Result").cast(pl.Float64, strict=False),
            )
            .group_by("Station_ID", "Date", "PCode")
            .agg(pl.col("Result").mean())
        )
        sink = lineage.sink_csv(folder / "lineage.csv", lazy=True)
        values = pl.collect_all([sink, means], engine="streaming")[1]
        for (station,), part in values.partition_by("Station_ID", as_dict=True).items():
            wide = part.sort("Date").pivot("PCode", index="Date", values="Result")
            wide.write_csv(folder / f"{station}.csv")
        hashing.join()

    return job


def assay() -> Callable[[Path, Path], None]:
    """The whole pipeline with all its outputs, as `assay analyse` runs it."""
    import assay.datasets.station_measurements.pipeline  # noqa: PLC0415, F401
    from assay.contract import Source, Sources  # noqa: PLC0415
    from assay.run import Analysis, analyse  # noqa: PLC0415

    def job(file: Path, folder: Path) -> None:
        source = Source(file, file.name, _hash_of(file), file.stat().st_size)
        found = analyse(Sources((source,)), None, {}, folder, lambda _done, _stage: None, lambda _detection: None)
        if not isinstance(found, Analysis) or found.pipeline != "station_measurements":
            raise SystemExit("the file was not taken for station measurements")

    return job


JOBS = {job.__name__: job for job in (assay, pandas_rows, pandas_vectors, duckdb_sql, polars_bare)}


def _hash_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main() -> None:
    """Run one job and print what it took."""
    name, file, folder = sys.argv[1:]
    job = JOBS[name]()
    began, cpu = time.perf_counter(), time.process_time()
    job(Path(file), Path(folder))
    took = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main()
