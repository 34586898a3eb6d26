// SPDX-License-Identifier: Apache-2.0
#include "tools/burin/Commands.h"

#include <unistd.h>

namespace burin::cli {
void addInspect(CLI::App &app, Action &action) {}
void addExplain(CLI::App &app, Action &action) {}
} // namespace burin::cli
