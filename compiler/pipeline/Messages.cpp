// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Messages.h"

#include "dialects/plan/PlanOps.h"

using namespace mlir;

namespace burin {

std::string textOf(Diagnostic &diagnostic) {
  std::string node = plan::nodeName(diagnostic.getLocation());
  return (node.empty() ? "" : "node '" + node + "': ") + diagnostic.str();
}

Message messageOf(Diagnostic &diagnostic, StringRef model) {
  return {model.str() + ": " + textOf(diagnostic),
          diagnostic.getSeverity() == DiagnosticSeverity::Error};
}

ExitCode exitCodeOf(ImportStatus failed) {
  switch (failed) {
  case ImportStatus::badFile:
    return ExitCode::BadInput;
  case ImportStatus::unsupported:
    return ExitCode::Unsupported;
  default:
    return ExitCode::Internal;
  }
}

ExitCode exitCodeOf(StringRef failedPhase, bool tooLarge) {
  if (failedPhase == "model") // sizes and attributes of its nodes contradict each other
    return ExitCode::BadInput;
  return tooLarge || failedPhase == "maths" ? ExitCode::Unsupported : ExitCode::Internal;
}

} // namespace burin
