// SPDX-License-Identifier: Apache-2.0
//
// What becomes of each node of a model, without writing an artifact.

#ifndef BURIN_COMPILER_PIPELINE_EXPLAIN_H
#define BURIN_COMPILER_PIPELINE_EXPLAIN_H

#include "compiler/pipeline/Pipeline.h"

namespace burin {

struct NodeReport {
  std::string name;      // the node's, or made from its operator and position
  std::string op;        // "Conv"
  std::string family;    // "window"
  std::string result;    // type of the first result, "1x64x56x56xf32"
  bool supported = true;
  std::string reason;    // where not: why, and a way out
  std::vector<std::string> kernels; // that compute it; none: folded or a view
  uint64_t flops = 0;    // of contractions and windows a multiply-add is two
  uint64_t bytes = 0;    // operands and results, each once
};

struct TensorReport {
  std::string name, type;
};

struct ModelReport {
  ExitCode code = ExitCode::Internal;
  std::vector<Message> messages;
  ImportReport import;
  std::vector<TensorReport> inputs, outputs;
  std::vector<NodeReport> nodes; // in the order they run, after functions are expanded
};

/// Compiles options.model as far as the plan and reports every node. Unsupported
/// nodes are in `nodes` with their reasons; the code is then Unsupported.
ModelReport explain(const CompileOptions &options);

} // namespace burin

#endif
