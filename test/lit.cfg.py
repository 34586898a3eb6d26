# SPDX-License-Identifier: Apache-2.0
#
# lit runs the RUN lines of the tests below test/; lit.site.cfg.py says where things are.
import os

import lit.formats

config.name = "burin"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".onnxtxt", ".test"]
config.excludes = ["Inputs", "conformance", "e2e", "bench", "models"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_root, "test", "lit")

config.substitutions.append(("%{runtime_include}", config.runtime_include))
tools = [os.path.join(config.build_root, "bin"), config.llvm_tools]
config.environment["PATH"] = os.pathsep.join(tools + [config.environment["PATH"]])
# A sanitizer's finding must not pass for an exit status that a test expects.
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    config.environment[name] = os.environ.get(name, "abort_on_error=1:detect_leaks=0")
# LLVM's allocators mark memory in code of ours that is instrumented and use it in libLLVM, which
# is not.
config.environment["ASAN_OPTIONS"] += ":allow_user_poisoning=0"

if os.path.exists(os.path.join(config.build_root, "bin", "burin-import")):
    config.available_features.add("burin-import")
