// SPDX-License-Identifier: Apache-2.0
//
// The import from top to bottom, and the boundary past which no exception goes.

#include "compiler/import/Importer.h"

#include "compiler/import/GraphBuilder.h"
#include "compiler/import/Model.h"
#include "compiler/import/Problems.h"
#include "compiler/import/Tensors.h"
#include "compiler/import/Weights.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "google/protobuf/arena.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace burin {

using namespace importer;

static OwningOpRef<ModuleOp> importModel(MLIRContext &context, StringRef path,
                                         const ImportOptions &options, WeightStore &store,
                                         Problems &problems) {
  std::string root = options.externalDataRoot;
  if (root.empty())
    root = llvm::sys::path::parent_path(path).str();
  TensorReader tensors(&context, store, root);

  // Functions go first: the version converter would drop them.
  google::protobuf::Arena arena;
  ::onnx::ModelProto &model = *google::protobuf::Arena::CreateMessage<::onnx::ModelProto>(&arena);
  if (!readModel(path, store, model, problems) || !normalize(model, problems) ||
      !inlineSmallTensors(model, tensors, problems) || !inlineFunctions(model, problems))
    return {};
  // What is not supported is listed whole, unless the file is wrong.
  checkModel(model, problems);
  if (problems.report.status == ImportStatus::badFile)
    return {};

  auto known = [&](const ::onnx::NodeProto &node) {
    return node.domain().empty() &&
           RegisteredOperationName::lookup("onnx." + node.op_type(), &context);
  };
  if (!checkSupport(model, known, problems) || !applySizes(model, options, problems) ||
      !convertToNewestOpset(model, problems))
    return {};

  auto expand = [&](const ::onnx::NodeProto &node) {
    return !known(node) ||
           (options.hasLowering && !options.hasLowering("onnx." + node.op_type()));
  };
  if (!expandOperators(model, expand, problems) || !checkModel(model, problems))
    return {};

  OwningOpRef<ModuleOp> module = buildModule(&context, model, options, tensors, problems);
  if (!module)
    return {};
  problems.report.weightBytes = tensors.weightBytes();
  if (failed(verify(*module))) { // a node contradicts its operator
    problems.reported(ImportStatus::badFile);
    return {};
  }
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> importOnnx(MLIRContext &context, StringRef path,
                                            const ImportOptions &options, WeightStore &store,
                                            ImportReport &report) {
  context.loadDialect<func::FuncDialect, onnx::OnnxDialect, plan::PlanDialect>();
  report = {};
  Problems problems(&context, path, report);
  OwningOpRef<ModuleOp> module;
  try {
    module = importModel(context, path, options, store, problems);
  } catch (const std::bad_alloc &) {
    problems.error(ImportStatus::badFile, "needs more memory than there is");
  } catch (const std::exception &error) {
    problems.error(ImportStatus::badFile, StringRef(error.what()).trim());
  }
  problems.finish();
  if (!module || problems.any()) {
    if (report.status == ImportStatus::ok)
      report.status = ImportStatus::internalError;
    return failure();
  }
  return std::move(module);
}

} // namespace burin
