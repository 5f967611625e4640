"""A stand-in for Lambda's base image, for where the image cannot be pulled: made of this machine's own files.

It holds the C library, a shell and a few tools, this CPython in ``/var/lang``, and AWS's runtime interface client in
``/var/runtime``, started by ``/var/runtime/bootstrap`` as in the real image. SAM adds its runtime interface emulator.
What it shows is how the functions run under AWS's client and emulator; it is not Amazon Linux.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

LABEL = "pipeline-triggers.stand-in"

RUNTIME_CLIENT = "awslambdaric"
# The shell and the tools that SAM's image build and the bootstrap below call.
_TOOLS = ("sh", "mv", "chmod", "cp", "rm", "mkdir")
_NOT_NEEDED = ("test", "idlelib", "ensurepip", "tkinter", "turtledemo", "site-packages", "dist-packages")
_LIBRARIES = "/var/lang/lib"
_BOOTSTRAP = """\
#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python{version} PYTHONPATH=/var/task:/opt/python:/var/runtime
exec /var/lang/bin/python{version} -m awslambdaric "$_HANDLER"
"""
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_CHANGES = (
    f"ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin LD_LIBRARY_PATH={_LIBRARIES} LANG=C.UTF-8 TZ=:UTC",
    "ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime",
    "WORKDIR /var/task",
    f"LABEL {LABEL}=true",
)


class NoStandInError(Exception):
    """The image cannot be made here; the message says why."""


def build(client: Any, tag: str) -> None:
    """Import the image under ``tag`` into Docker. NoStandInError on anything but Linux with glibc."""
    if sys.platform != "linux" or not shutil.which("ldd"):
        raise NoStandInError("a stand-in for the base image can only be made on Linux with glibc")
    repository, _, version = tag.rpartition(":")
    client.api.import_image_from_data(_archive(), repository=repository, tag=version, changes=list(_CHANGES))


def runtime_client() -> dict[str, Path]:
    """The files of AWS's runtime interface client and what it needs, by their names under a folder of modules."""
    files: dict[str, Path] = {}
    todo = [RUNTIME_CLIENT]
    while todo:
        found = distribution(todo.pop())
        todo += [Requirement(text).name for text in found.requires or () if "extra ==" not in text]
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                files[str(file)] = Path(str(file.locate()))
    return files


def _archive() -> bytes:
    """The image's root file system as a tar file."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    files = _python(version) | {f"var/runtime/{name}": path for name, path in runtime_client().items()}
    files |= {f"bin/{tool}": Path(_which(tool)) for tool in _TOOLS}
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, path in (files | _shared_libraries(files)).items():
                tar.add(path.resolve(), name, recursive=False)
            for name, text in _FILES.items():
                _add(tar, name, text.encode(), 0o644)
            _add(tar, "var/runtime/bootstrap", _BOOTSTRAP.format(version=version).encode(), 0o755)
            for folder, mode in (("tmp", 0o1777), ("opt", 0o755), ("root", 0o700), ("var/task", 0o755)):
                _add_folder(tar, folder, mode)
        return buffer.getvalue()


def _python(version: str) -> dict[str, Path]:
    """This interpreter and its standard library."""
    executable = Path(getattr(sys, "_base_executable", sys.executable))
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}))
    modules = (path for path in library.rglob("*") if path.is_file() and path.suffix != ".a")
    kept = (path for path in modules if not {*path.relative_to(library).parts[:-1]} & {*_NOT_NEEDED})
    files = {f"var/lang/lib/python{version}/{path.relative_to(library)}": path for path in kept}
    return {f"var/lang/bin/python{version}": executable, **files}


def _shared_libraries(files: dict[str, Path]) -> dict[str, Path]:
    """What the dynamic loader would load for these files, all in one folder, and the loader where programs look for it.

    The lines of ``ldd``: ``libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`` and ``/lib64/ld-linux-…so.2 (0x…)``.
    """
    programs = [path for name, path in files.items() if "/bin/" in f"/{name}" or ".so" in path.suffixes]
    listed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    libraries = {
        f"{_LIBRARIES[1:]}/{name}": Path(path) for name, path in re.findall(r"^\s+(\S+) => (/\S+)", listed, re.M)
    }
    loaders = {path[1:]: Path(path) for path in re.findall(r"^\s+(/\S+) \(0x", listed, re.M)}
    return libraries | loaders


def _which(tool: str) -> str:
    found = shutil.which(tool)
    if not found:
        raise NoStandInError(f"a stand-in for the base image needs {tool}, which is not here")
    return found


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    tar.addfile(entry)
