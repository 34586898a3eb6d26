// SPDX-License-Identifier: Apache-2.0
//
// One artifact for several sets of sizes: each variant walks down from the model to
// dispatches by itself, then all are one module with a main program each, which share
// kernels and weights where these are equal.

#ifndef BURIN_COMPILER_PIPELINE_VARIANTS_H
#define BURIN_COMPILER_PIPELINE_VARIANTS_H

#include "compiler/import/Importer.h"

namespace burin {

/// What the options say of each named size: one value or range, or several to choose from.
using DimChoices = std::map<std::string, std::vector<DimSpec>>;

/// The sizes of one variant.
using VariantDims = std::map<std::string, DimSpec>;

/// Most variants of one artifact.
constexpr size_t maxVariants = 64;

/// Every combination of choices, the cheapest first: fixed sizes before ranges, small before
/// large. A request runs in the first that holds its sizes. Nothing where there are more than
/// maxVariants.
std::vector<VariantDims> variantsOf(const DimChoices &choices);

/// "batch=8,seq=1..512": the sizes of a variant that differ between variants.
std::string nameOf(const VariantDims &variant, const DimChoices &choices);

/// Notes on @main of `module` which sizes it is for (`plan.variant`).
void markVariant(mlir::ModuleOp module, const VariantDims &variant, const DimChoices &choices);

/// Moves @main of `from` behind the main programs of `into`, under a name of its own.
void addVariant(mlir::ModuleOp into, mlir::ModuleOp from);

} // namespace burin

#endif
