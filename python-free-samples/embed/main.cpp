// SPDX-License-Identifier: Apache-2.0
//
// embed FILE SENTENCE...: for each sentence the three lines of a file that mean most nearly the
// same. The encoder was trained on requests to a voice assistant.

#include "Encoder.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

int main(int argc, char **argv) {
  std::vector<std::string> lines;
  if (argc >= 3) {
    std::ifstream file(argv[1]);
    for (std::string line; std::getline(file, line);)
      if (!line.empty())
        lines.push_back(line);
  }
  if (lines.empty()) {
    std::fprintf(stderr, "usage: %s FILE SENTENCE...   (a file of sentences, one a line)\n", argv[0]);
    return 2;
  }
  try {
    Encoder encoder;
    std::vector<std::string> queries(argv + 2, argv + argc);
    std::vector<Vector> known = encoder.encode(lines), asked = encoder.encode(queries);
    for (size_t q = 0; q < queries.size(); ++q) {
      std::vector<std::pair<float, size_t>> ranked;
      for (size_t i = 0; i < lines.size(); ++i)
        ranked.emplace_back(similarity(asked[q], known[i]), i);
      size_t count = std::min<size_t>(3, ranked.size());
      std::partial_sort(ranked.begin(), ranked.begin() + ptrdiff_t(count), ranked.end(),
                        std::greater<>());
      std::printf("%s\n", queries[q].c_str());
      for (size_t i = 0; i < count; ++i)
        std::printf("  %5.2f  %s\n", double(ranked[i].first), lines[ranked[i].second].c_str());
    }
  } catch (const std::exception &error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
