// SPDX-License-Identifier: Apache-2.0
//
// burin-import MODEL [--dim NAME=N | NAME=MIN..MAX] [--input NAME=1x3] [--external-data-root DIR]
//                    [--expand OP,...] [--locations] [--quiet] [--report]
//
// Imports a model and prints the module. The exit code is that of `burin compile`.
// --expand names operators (onnx.Gelu) that count as not lowered.

#include "compiler/import/Importer.h"
#include "compiler/import/Weights.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

static int usage(StringRef argument) {
  errs() << "burin-import: bad argument '" << argument << "'\n";
  return 2;
}

int main(int argc, char **argv) {
  burin::ImportOptions options;
  StringSet<> expanded;
  std::string path;
  bool quiet = false, report = false, locations = false;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--quiet") {
      quiet = true;
    } else if (argument == "--report") {
      report = true;
    } else if (argument == "--locations") {
      locations = true;
    } else if (!argument.starts_with("--")) {
      path = argument.str();
    } else if (i + 1 == argc) {
      return usage(argument);
    } else {
      StringRef value = argv[++i];
      auto [name, rest] = value.split('=');
      if (argument == "--dim") {
        burin::DimSpec spec;
        auto [min, max] = rest.split("..");
        if (min.getAsInteger(10, spec.min) || (max.empty() ? min : max).getAsInteger(10, spec.max))
          return usage(value);
        options.dims[name.str()] = spec;
      } else if (argument == "--input") {
        auto &shape = options.inputShapes[name.str()];
        for (StringRef size : split(rest, 'x'))
          if (!size.empty() && size.getAsInteger(10, shape.emplace_back().number))
            return usage(value);
      } else if (argument == "--external-data-root") {
        options.externalDataRoot = value.str();
      } else if (argument == "--expand") {
        for (StringRef op : split(value, ','))
          expanded.insert(op);
      } else {
        return usage(argument);
      }
    }
  }
  if (!expanded.empty())
    options.hasLowering = [&](StringRef op) { return !expanded.contains(op); };

  mlir::MLIRContext context;
  context.printOpOnDiagnostic(false);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    errs() << diagnostic.getLocation() << ": "
           << (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error ? "error: " : "note: ")
           << diagnostic << "\n";
    return mlir::success();
  });
  burin::WeightStore store;
  burin::ImportReport result;
  auto module = burin::importOnnx(context, path, options, store, result);
  if (report)
    outs() << "// ir " << result.irVersion << ", opset " << result.opset << ", " << result.nodes
           << " nodes, " << result.initializers << " initialisers, " << result.weightBytes
           << " bytes of weights\n";
  if (succeeded(module) && !quiet)
    (*module)->print(outs(), mlir::OpPrintingFlags().enableDebugInfo(locations));
  switch (result.status) {
  case burin::ImportStatus::ok:
    return 0;
  case burin::ImportStatus::badFile:
    errs() << "status: bad file\n";
    return 2;
  case burin::ImportStatus::unsupported:
    errs() << "status: unsupported\n";
    return 3;
  case burin::ImportStatus::internalError:
    errs() << "status: internal error\n";
    return 4;
  }
}
