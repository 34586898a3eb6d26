// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Explain.h"

#include "compiler/import/Weights.h"
#include "compiler/lower/Lowering.h"
#include "compiler/pipeline/OpenDims.h"
#include "compiler/pipeline/Registration.h"
#include "compiler/plan/Sizes.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace burin {
namespace {

uint64_t elements(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() ? uint64_t(tensor.getNumElements()) : 0;
}

uint64_t bytes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.getElementType().isIntOrFloat())
    return 0;
  return elements(type) * llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// The size of a dim, counted from the last where it is negative; 0 where that is not known.
uint64_t sizeOf(Value value, int64_t dim) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type)
    return 0;
  int64_t at = dim < 0 ? type.getRank() + dim : dim;
  return at >= 0 && at < type.getRank() && !type.isDynamicDim(at) ? uint64_t(type.getDimSize(at)) : 0;
}

/// The products of each element of `value` with what `weight`, whose first dim has the channels of that, has for its channel.
uint64_t perChannel(Value value, Value weight) {
  uint64_t channels = sizeOf(weight, 0);
  return channels ? elements(value.getType()) * (elements(weight.getType()) / channels) : 0;
}

/// Multiply-adds count two; other ops one per result element.
uint64_t countFlops(Operation *op, StringRef family) {
  uint64_t results = op->getNumResults() ? elements(op->getResult(0).getType()) : 0;
  std::optional<uint64_t> products =
      llvm::TypeSwitch<Operation *, std::optional<uint64_t>>(op)
          .Case([&](onnx::ConvOp conv) { return perChannel(conv.getResult(), conv.getW()); })
          .Case([&](onnx::ConvTransposeOp conv) { return perChannel(conv.getX(), conv.getW()); })
          .Case([&](onnx::MatMulOp product) { return results * sizeOf(product.getA(), -1); })
          .Case([&](onnx::GemmOp product) {
            return results * sizeOf(product.getA(), product.getTransA() ? 0 : -1);
          })
          .Case([&](onnx::AttentionOp attention) {
            uint64_t keys = sizeOf(attention.getK(), -2) + sizeOf(attention.getPastKey(), -2);
            return keys * (elements(attention.getQ().getType()) + results);
          })
          .Case<onnx::RNNOp, onnx::GRUOp, onnx::LSTMOp>([&](auto cell) -> uint64_t {
            uint64_t inputs = sizeOf(cell.getX(), -1), weights = elements(cell.getW().getType()) + elements(cell.getR().getType());
            return inputs ? elements(cell.getX().getType()) / inputs * weights : 0;
          })
          .Default(std::nullopt);
  if (products && *products)
    return 2 * *products;
  return family == "shape" || family == "movement" || family == "indexing" ? 0 : results;
}

NodeReport reportOf(onnx::OnnxOpInterface op) {
  NodeReport node;
  node.name = plan::nodeName(op.getLoc());
  node.op = op->getName().stripDialect().str();
  node.family = op.getFamily().str();
  if (op->getNumResults())
    node.result = plan::textOf(op->getResult(0).getType());
  node.flops = countFlops(op, node.family);
  for (Type type : op->getOperandTypes())
    node.bytes += bytes(type);
  for (Type type : op->getResultTypes())
    node.bytes += bytes(type);
  return node;
}

void nameTensors(std::vector<TensorReport> &to, TypeRange types,
                 llvm::function_ref<DictionaryAttr(unsigned)> attrs) {
  for (auto [i, type] : llvm::enumerate(types)) {
    DictionaryAttr dictionary = attrs(i);
    auto name = dictionary ? dyn_cast_or_null<StringAttr>(dictionary.get("onnx.name")) : nullptr;
    to.push_back({name ? name.getValue().str() : "", plan::textOf(type)});
  }
}

} // namespace

ModelReport explain(const CompileOptions &options) {
  ModelReport report;
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  llvm::StringMap<std::string> reasons; // by node name
  bool tooLarge = false;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return success();
    tooLarge |= plan::saysTooLarge(diagnostic);
    reasons.try_emplace(plan::nodeName(diagnostic.getLocation()), diagnostic.str());
    report.messages.push_back(messageOf(diagnostic, options.model));
    return success();
  });

  WeightStore weights;
  ImportOptions import = importOptions(options);
  if (std::vector<VariantDims> variants = variantsOf(options.dims); !variants.empty())
    import.dims = variants.front(); // of several, the cheapest
  FailureOr<OwningOpRef<ModuleOp>> module =
      importOnnx(context, options.model, import, weights, report.import);
  if (failed(module)) {
    report.code = exitCodeOf(report.import.status);
    return report;
  }

  report.code = failed(checkOpenDims(**module)) ? ExitCode::Unsupported : ExitCode::Ok;
  if (failed(inferAndCheckTypes(**module))) {
    report.code = ExitCode::BadInput;
    return report;
  }
  std::vector<Phase> phases = modelPhases(options);
  llvm::append_range(phases, programPhases({}));
  for (const Phase &phase : phases) {
    PassManager manager(&context);
    phase.addPasses(manager);
    if (failed(manager.run(**module))) {
      report.code = exitCodeOf(phase.name, tooLarge);
      break;
    }
    auto main = (*module)->lookupSymbol<func::FuncOp>("main");
    if (phase.name == "model") {
      nameTensors(report.inputs, main.getArgumentTypes(),
                  [&](unsigned i) { return main.getArgAttrDict(i); });
      nameTensors(report.outputs, main.getResultTypes(),
                  [&](unsigned i) { return main.getResultAttrDict(i); });
      main.walk([&](onnx::OnnxOpInterface op) {
        if (!isa<onnx::ConstantOp>(op.getOperation()))
          report.nodes.push_back(reportOf(op));
      });
      if (report.code != ExitCode::Ok)
        break; // without sizes there are no kernels
    }
  }
  llvm::StringMap<llvm::SetVector<StringRef>> kernels;
  (*module)->walk([&](plan::LaunchOp launch) {
    for (StringRef name : plan::nodeNames(launch.getLoc()))
      kernels[name].insert(launch.getKernel());
  });
  for (NodeReport &node : report.nodes) {
    if (auto it = reasons.find(node.name); it != reasons.end()) {
      node.supported = false;
      node.reason = it->second;
    }
    for (StringRef kernel : kernels[node.name])
      node.kernels.push_back(kernel.str());
  }
  return report;
}

} // namespace burin
