// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Batch.h"

#include "compiler/import/Weights.h"
#include "compiler/transforms/Passes.h"
#include "dialects/onnx/SizeExpr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

namespace burin {
namespace {

/// Sizes that few models have elsewhere, so that a reshape keeps the batch
/// apart from the rest.
constexpr int64_t sizes[] = {11, 13};

/// The model's maths for fixed sizes; null where it has none.
OwningOpRef<ModuleOp> mathsFor(MLIRContext &context, const CompileOptions &options,
                               const ImportOptions &import) {
  WeightStore weights;
  ImportReport report;
  FailureOr<OwningOpRef<ModuleOp>> module = importOnnx(context, options.model, import, weights, report);
  if (failed(module))
    return nullptr;
  for (const Phase &phase : modelPhases(options)) {
    PassManager manager(&context);
    phase.addPasses(manager);
    if (failed(manager.run(**module)))
      return nullptr;
    if (phase.name == "maths")
      break;
  }
  return std::move(*module);
}

/// Whether a size can differ between requests.
bool changes(const DimChoices &dims, StringRef name) {
  auto choices = dims.find(name.str());
  return choices != dims.end() && (choices->second.size() > 1 || !choices->second.front().isFixed());
}

/// The sizes that can differ between requests, those of outer dims first.
std::vector<std::string> candidates(const DimChoices &dims, func::FuncOp main) {
  std::vector<std::pair<size_t, std::string>> found; // by axis, then in the order of inputs
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto names = main.getArgAttrOfType<ArrayAttr>(i, "onnx.dim_names"))
      for (auto [axis, name] : llvm::enumerate(names.getAsRange<StringAttr>())) {
        if (changes(dims, name))
          found.push_back({axis, name.str()});
      }
  llvm::stable_sort(found, llvm::less_first());
  std::vector<std::string> names;
  for (auto &[axis, name] : found)
    if (!llvm::is_contained(names, name))
      names.push_back(std::move(name));
  return names;
}

/// Why no size is a candidate where one changes: inputs have it in an expression alone. Empty where none does.
std::string whyNoCandidate(const DimChoices &dims, func::FuncOp main) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto names = main.getArgAttrOfType<ArrayAttr>(i, "onnx.dim_names");
    auto input = main.getArgAttrOfType<StringAttr>(i, "onnx.name");
    if (!names || !input)
      continue;
    for (auto size : names.getAsRange<StringAttr>())
      for (const std::string &name : onnx::SizeExpr::parse(size).names())
        if (changes(dims, name))
          return "no input has '" + name + "' itself as a dimension: '" + input.str() + "' has '" +
                 size.str() + "'";
  }
  return "";
}

/// Both sizes' maths in one module; null where the model has none for one of
/// them.
OwningOpRef<ModuleOp> mathsForBoth(MLIRContext &context, const CompileOptions &options,
                                   ImportOptions import, const std::string &name) {
  OwningOpRef<ModuleOp> both;
  for (int64_t size : sizes) {
    import.dims[name] = {size, size};
    OwningOpRef<ModuleOp> one = mathsFor(context, options, import);
    if (!one)
      return nullptr;
    if (both)
      addVariant(*both, *one);
    else
      both = std::move(one);
  }
  return both;
}

} // namespace

BatchReport findBatch(ModuleOp module, const CompileOptions &options, ImportOptions import) {
  MLIRContext &context = *module.getContext();
  auto first = module.lookupSymbol<func::FuncOp>("main");
  for (unsigned i = 0; i < first.getNumArguments(); ++i)
    if (plan::stateOf(first, i))
      return {nullptr, "the model keeps '" + plan::stateOf(first, i).getOutput().str() +
                           "' from one request to the next"};
  std::string said; // the first error or remark
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (said.empty() && diagnostic.getSeverity() != DiagnosticSeverity::Warning)
      said = textOf(diagnostic);
    return success();
  });
  for (const auto &[name, specs] : options.dims) {
    int64_t most = 0;
    for (const DimSpec &spec : specs)
      most = std::max(most, spec.max);
    import.dims[name] = {most, most};
  }
  std::vector<std::string> names = candidates(options.dims, first);
  if (names.empty())
    return {nullptr, whyNoCandidate(options.dims, first)};
  BatchReport report;
  for (const std::string &name : names) {
    said.clear();
    if (OwningOpRef<ModuleOp> both = mathsForBoth(context, options, import, name)) {
      PassManager manager(&context);
      FindBatchOptions of;
      of.dim = name;
      manager.addPass(createFindBatch(of));
      if (succeeded(manager.run(*both)))
        report.batch = (*both)->getAttrOfType<plan::BatchAttr>(plan::batchAttrName);
    }
    if (report.batch)
      return {report.batch, ""};
    if (report.reason.empty())
      report.reason = said;
  }
  return report;
}

} // namespace burin
