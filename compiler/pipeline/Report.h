// SPDX-License-Identifier: Apache-2.0
//
// What a compile made, as a page to look at.

#ifndef BURIN_COMPILER_PIPELINE_REPORT_H
#define BURIN_COMPILER_PIPELINE_REPORT_H

#include "compiler/pipeline/Machine.h"
#include "compiler/pipeline/Pipeline.h"

namespace burin {

/// The data of the page, of a compile with `cost` that succeeded.
llvm::json::Object reportData(const CompileOptions &options, const CompileResult &result,
                              const Machine &machine);

/// One page of HTML that needs nothing else: kernels as a graph, a table and points under the roofline, memory
/// over time, what it took to compile. It holds `data` as JSON in the element "data", in which no
/// name from a model can end that element.
std::string reportPage(llvm::json::Object data);

} // namespace burin

#endif
