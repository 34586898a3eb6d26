// SPDX-License-Identifier: Apache-2.0
#include "compiler/import/Problems.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace burin::importer {

Problems::Problems(MLIRContext *context, StringRef path, ImportReport &report)
    : report(report), context(context), file(FileLineColLoc::get(context, path, 0, 0)) {}

Location Problems::namedLocation(StringRef name) const {
  return NameLoc::get(StringAttr::get(context, name), file);
}

Location Problems::nodeLocation(const ::onnx::NodeProto &node) const {
  return namedLocation(node.name().empty() ? node.op_type() : node.name());
}

void Problems::reported(ImportStatus status) {
  // A file that is wrong is reported as such, whatever else it asks for.
  if (report.status == ImportStatus::ok || status == ImportStatus::badFile)
    report.status = status;
  ++errors;
}

void Problems::error(ImportStatus status, Location where, const Twine &message) {
  reported(status);
  if (errors <= listed)
    emitError(where) << message;
}

void Problems::error(ImportStatus status, const ::onnx::NodeProto &node, const Twine &message) {
  error(status, nodeLocation(node), "'" + Twine(node.op_type()) + "' " + message);
}

void Problems::warn(Location where, const Twine &message) { emitWarning(where) << message; }

void Problems::finish() {
  if (errors > listed)
    emitError(file) << (errors - listed) << " more errors are not listed";
}

} // namespace burin::importer
