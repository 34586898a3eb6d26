// SPDX-License-Identifier: Apache-2.0
//
// Where the importer's diagnostics go: all problems of a model are listed, each at
// its node, and the report learns of which kind they are.

#ifndef BURIN_COMPILER_IMPORT_PROBLEMS_H
#define BURIN_COMPILER_IMPORT_PROBLEMS_H

#include "compiler/import/Importer.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "onnx/onnx-ml.pb.h"

namespace burin::importer {

class Problems {
public:
  Problems(mlir::MLIRContext *context, llvm::StringRef path, ImportReport &report);

  /// The model file as a whole.
  mlir::Location fileLocation() const { return file; }
  /// A NameLoc of the node's name, within the file.
  mlir::Location nodeLocation(const ::onnx::NodeProto &node) const;
  mlir::Location namedLocation(llvm::StringRef name) const;

  /// Reports an error. The sentence ends without a full stop and says, after a
  /// semicolon, what the user can do.
  void error(ImportStatus status, mlir::Location where, const llvm::Twine &message);
  void error(ImportStatus status, const llvm::Twine &message) { error(status, file, message); }
  void error(ImportStatus status, const ::onnx::NodeProto &node, const llvm::Twine &message);
  /// An error that somebody else has emitted.
  void reported(ImportStatus status);
  void warn(mlir::Location where, const llvm::Twine &message);

  bool any() const { return errors != 0; }
  /// Tells how many errors were not listed.
  void finish();

  ImportReport &report;

private:
  /// More than this many errors have one cause, or none will read them.
  static constexpr unsigned listed = 100;

  mlir::MLIRContext *context;
  mlir::Location file;
  unsigned errors = 0;
};

} // namespace burin::importer

#endif
