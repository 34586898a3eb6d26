// SPDX-License-Identifier: Apache-2.0
//
// ONNX file -> module of onnx ops; the import phase of docs/architecture.md.

#ifndef BURIN_COMPILER_IMPORT_IMPORTER_H
#define BURIN_COMPILER_IMPORT_IMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace burin {

class WeightStore;

/// What `--dim NAME=...` says of a symbolic size: one value, or a range.
struct DimSpec {
  int64_t min = 1;
  int64_t max = 1;
  bool isFixed() const { return min == max; }
};

/// In a shape of ImportOptions::inputShapes: a number, or where `number` is negative a name or an
/// expression of names ("32*h"), or where that is empty, too, the size that the model has.
struct GivenSize {
  int64_t number = -1;
  std::string name;
};

struct ImportOptions {
  /// Symbolic sizes by name. A fixed one is substituted everywhere; a range is
  /// kept as a name and recorded in the module's `onnx.dim_ranges`.
  std::map<std::string, DimSpec> dims;
  /// Shapes of graph inputs by name. A symbolic size that a shape fixes or renames is so wherever its
  /// name occurs.
  std::map<std::string, llvm::SmallVector<GivenSize>> inputShapes;
  /// The folder that external data must lie in and is relative to; empty: the
  /// model's own.
  std::string externalDataRoot;
  /// Whether an operator (`onnx.Add`) is compiled as it is. One that is not, and
  /// that ONNX defines as a function, is expanded. Null: all ops of the dialect are.
  std::function<bool(llvm::StringRef)> hasLowering;
};

enum class ImportStatus {
  ok,
  badFile,      ///< the file is missing, malformed or not valid ONNX: exit code 2
  unsupported,  ///< valid, but asks for what is not supported: exit code 3
  internalError ///< a fault of the importer: exit code 4
};

/// What was read, for `burin inspect` and for the exit code.
struct ImportReport {
  ImportStatus status = ImportStatus::ok;
  int64_t irVersion = 0;
  int64_t opset = 0; ///< of the default domain, as the file has it
  std::string producer;
  uint64_t nodes = 0;       ///< in the file, subgraphs and function bodies included
  uint64_t initializers = 0;
  uint64_t weightBytes = 0; ///< of the initialisers that became #plan.weight
  /// Graph inputs that have an initialiser: they are constants of the compiled model.
  std::vector<std::string> defaultedInputs;
  /// What the model calls the sizes of its inputs and outputs, "" where it says nothing.
  std::map<std::string, std::vector<std::string>> dimNames;
};

/// Reads `path` (.onnx, or ONNX's text syntax as .onnxtxt) and builds
/// `func.func @main`. Weights are put into `store`, which must outlive every use of the
/// module. Problems are diagnostics of `context`, located at the node where there is
/// one, and `report.status` tells of which kind they are.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(mlir::MLIRContext &context, llvm::StringRef path, const ImportOptions &options,
           WeightStore &store, ImportReport &report);

} // namespace burin

#endif
