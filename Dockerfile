# The command, for files on the machine that runs it. Its context is the project's root, and web/ must be built before:
#   make web && docker build -t assay . && docker run --rm -v "$PWD:/data:ro" assay read file.csv
# What writes files needs a folder that it may write to: add --user "$(id -u):$(id -g)" and leave out :ro.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE /source/
COPY tools/wheel.py /source/tools/
COPY assay /source/assay
# Named on its own so that a build without it fails.
COPY assay/page/built /source/assay/page/built
RUN python -m venv /opt/assay && /opt/assay/bin/pip install --no-cache-dir ".[analyse]"

FROM python:3.13-slim
COPY --from=build /opt/assay /opt/assay
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/opt/assay/bin/assay"]
