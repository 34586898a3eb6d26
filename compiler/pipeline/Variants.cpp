// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Variants.h"

#include "compiler/plan/Sizes.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace burin {

/// How many ranges, then how many elements, about.
static std::pair<unsigned, uint64_t> costOf(const VariantDims &variant) {
  unsigned ranges = 0;
  uint64_t product = 1;
  for (const auto &[name, spec] : variant) {
    ranges += !spec.isFixed();
    product = llvm::SaturatingMultiply(product, uint64_t(std::max<int64_t>(spec.max, 1)));
  }
  return {ranges, product};
}

std::vector<VariantDims> variantsOf(const DimChoices &choices) {
  std::vector<VariantDims> variants{{}};
  for (const auto &[name, specs] : choices) {
    std::vector<VariantDims> longer;
    for (const VariantDims &variant : variants)
      for (const DimSpec &spec : specs) {
        longer.push_back(variant);
        longer.back()[name] = spec;
      }
    variants = std::move(longer);
    if (variants.size() > maxVariants)
      return {};
  }
  llvm::stable_sort(variants, [](const VariantDims &a, const VariantDims &b) {
    return costOf(a) < costOf(b);
  });
  return variants;
}

std::string nameOf(const VariantDims &variant, const DimChoices &choices) {
  std::string text;
  for (const auto &[name, spec] : variant)
    if (choices.at(name).size() > 1)
      text += (text.empty() ? "" : ",") + plan::textOf(name, {spec.min, spec.max});
  return text;
}

void markVariant(ModuleOp module, const VariantDims &variant, const DimChoices &choices) {
  Builder builder(module.getContext());
  SmallVector<Attribute> ranges;
  for (const auto &[name, spec] : variant)
    if (choices.at(name).size() > 1 || !spec.isFixed())
      ranges.push_back(plan::RangeAttr::get(module.getContext(), builder.getStringAttr(name),
                                            spec.min, spec.max));
  module.lookupSymbol<func::FuncOp>("main")->setAttr(plan::variantAttrName,
                                                     builder.getArrayAttr(ranges));
}

void addVariant(ModuleOp into, ModuleOp from) {
  auto main = from.lookupSymbol<func::FuncOp>("main");
  unsigned count = unsigned(llvm::range_size(into.getOps<func::FuncOp>()));
  main.setName(("main_" + Twine(count)).str());
  main->moveAfter(&into.getBody()->back());
}

} // namespace burin
