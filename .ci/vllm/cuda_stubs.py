"""Compile empty stand-ins for the CUDA libraries that torch names.

usage: cuda_stubs.py SITE_PACKAGES

The public torch wheel is linked against about 3 GB of CUDA libraries. On a
machine without a GPU none of them is ever called, but the dynamic loader
refuses to load torch without their names and their versioned symbols. Both
stand in torch's own ELF files, so this script reads them from there and builds
one small library for each name. Every function returns 100, which is CUDA's
"no device" (cudaErrorNoDevice), so torch concludes that there is no GPU.

Needs cc and readelf.
"""

import glob
import re
import subprocess
import sys
import tempfile
from collections import defaultdict

CUDA_LIBRARY = re.compile(r"lib(cu|nv|nccl)")
CUDA_FUNCTION = re.compile(r"cu[A-Z]|cu(rand|fft|blas|sparse|dnn|File|solver)|nccl|nvshmem|nvrtc")
DRIVER = "libcuda.so.1"  # opened with dlopen when there is a GPU, never needed to load
UNVERSIONED_HOME = "libnccl.so.2"  # symbols without a version are found in any loaded library


def readelf(option, path):
    done = subprocess.run(["readelf", "-W", option, path], capture_output=True, text=True, check=True)
    return done.stdout


def needed_cuda(path):
    names = re.findall(r"\(NEEDED\).*\[(.*?)\]", readelf("-d", path))
    return {name for name in names if CUDA_LIBRARY.match(name) and name != DRIVER}


def version_homes(path):
    """Map each symbol version that path asks for to the library that has to define it."""
    homes, library = {}, None
    for line in readelf("-V", path).splitlines():
        if found := re.search(r"Version: \d+\s+File: (\S+)", line):
            library = found[1]
        elif library and (found := re.search(r"Name: (\S+)\s+Flags", line)):
            homes[found[1]] = library
    return homes


def dynamic_symbols(path):
    """Yield (name, version, type, defined, weak) of each dynamic symbol."""
    for line in readelf("--dyn-syms", path).splitlines():
        field = line.split()
        if len(field) >= 8 and field[0].endswith(":") and field[0][:-1].isdigit():
            name, _, version = field[7].partition("@")
            yield name, version.lstrip("@"), field[3], field[6] != "UND", field[4] == "WEAK"


def collect(torch_lib):
    """Return {library: {(symbol, version, type)}} of everything that torch's libraries want from CUDA."""
    wanted, loose, defined = defaultdict(set), set(), set()
    for path in sorted(glob.glob(torch_lib + "/*.so*")):
        cuda, homes = needed_cuda(path), version_homes(path)
        for name in cuda:
            wanted[name]  # a library without any symbol is needed all the same
        for name, version, kind, is_defined, weak in dynamic_symbols(path):
            if is_defined:
                defined.add(name)
            elif version and CUDA_LIBRARY.match(homes.get(version, "")):
                wanted[homes[version]].add((name, version, kind))
            elif not version and not weak and cuda and CUDA_FUNCTION.match(name):
                loose.add((name, "", kind))
    wanted[UNVERSIONED_HOME] |= {symbol for symbol in loose if symbol[0] not in defined}
    return wanted


def source(symbols):
    lines = ['static const char text[] = "no CUDA";']
    for name, kind in sorted({(name, kind) for name, _, kind in symbols}):
        if kind == "OBJECT":
            lines.append(f"long {name}[64];")
        elif re.search("String$|ErrorName", name):  # the caller prints what it gets
            lines.append(f"const char *{name}(void) {{ return text; }}")
        else:
            lines.append(f"int {name}(void) {{ return 100; }}")
    return "\n".join(lines) + "\n"


def version_script(symbols):
    versions = defaultdict(set)
    for name, version, _ in symbols:
        if version:
            versions[version].add(name)
    return "".join(f"{version} {{ global: {'; '.join(sorted(names))}; }};\n" for version, names in sorted(versions.items()))


def build(library, symbols, folder):
    with tempfile.TemporaryDirectory() as work:
        code, script = work + "/stub.c", work + "/stub.map"
        with open(code, "w") as out:
            out.write(source(symbols))
        flags = ["-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{library}"]
        if versions := version_script(symbols):
            with open(script, "w") as out:
                out.write(versions)
            flags.append(f"-Wl,--version-script={script}")
        subprocess.run(["cc", *flags, "-o", f"{folder}/{library}", code], check=True)


def main():
    torch_lib = sys.argv[1] + "/torch/lib"
    wanted = collect(torch_lib)
    for library, symbols in sorted(wanted.items()):
        build(library, symbols, torch_lib)
    print("stand-ins for", *sorted(wanted))


main()
