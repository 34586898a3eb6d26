// SPDX-License-Identifier: Apache-2.0
#include "dialects/onnx/SizeExpr.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using llvm::StringRef;

namespace burin::onnx {

// Models write sums of a few products; what is larger costs more than it tells.
static constexpr size_t maxTerms = 12, maxDegree = 6, maxText = 400;
static constexpr unsigned maxDepth = 8;
static constexpr StringRef quotientWord = "floordiv";

//===- Reading --------------------------------------------------------------===//

/// What is multiplied: a name, or the floor of a quotient.
struct SizeExpr::Atom {
  std::string name;     // empty: a quotient
  SizeExpr numerator;
  int64_t divisor = 1;
};

/// sum := product ('+' product | '- ' product)*; product := factor ('*' factor | '//' number |
/// 'floordiv' number)*; factor := number | '-' number | name | `name` | '(' sum ')'. Exporters use
/// these with and without spaces; a minus in a name ("seq-len") has none after it.
class SizeExpr::Parser {
public:
  explicit Parser(StringRef text) : rest(text) {}

  std::optional<SizeExpr> parse() {
    std::optional<SizeExpr> result = sum(0);
    return result && skip().empty() ? result : std::nullopt;
  }

private:
  StringRef skip() { return rest = rest.ltrim(' '); }
  bool take(StringRef token) {
    skip();
    return rest.consume_front(token);
  }

  std::optional<int64_t> number() {
    int64_t value;
    if (skip().empty() || !llvm::isDigit(rest.front()) || rest.consumeInteger(10, value))
      return std::nullopt;
    return value;
  }

  std::optional<SizeExpr> sum(unsigned depth) {
    std::optional<SizeExpr> total = product(depth);
    while (total) {
      if (take("+")) {
        std::optional<SizeExpr> next = product(depth);
        total = next ? total->plus(*next) : std::nullopt;
      } else if (take("- ")) {
        std::optional<SizeExpr> next = product(depth);
        total = next ? total->minus(*next) : std::nullopt;
      } else {
        break;
      }
    }
    return total;
  }

  std::optional<SizeExpr> product(unsigned depth) {
    std::optional<SizeExpr> result = factor(depth);
    while (result) {
      if (take("//") || take(quotientWord)) {
        std::optional<int64_t> divisor = number();
        result = divisor && *divisor > 0 ? result->floorDiv(*divisor) : std::nullopt;
      } else if (take("*")) {
        std::optional<SizeExpr> next = factor(depth);
        result = next ? result->times(*next) : std::nullopt;
      } else {
        break;
      }
    }
    return result;
  }

  std::optional<SizeExpr> factor(unsigned depth) {
    if (skip().empty() || depth > maxDepth)
      return std::nullopt;
    if (take("(")) {
      std::optional<SizeExpr> inner = sum(depth + 1);
      return take(")") ? inner : std::nullopt;
    }
    if (take("`")) {
      size_t end = rest.find('`');
      if (end == 0 || end == StringRef::npos)
        return std::nullopt;
      SizeExpr quoted = name(rest.take_front(end));
      rest = rest.drop_front(end + 1);
      return quoted;
    }
    if (llvm::isDigit(rest.front())) {
      std::optional<int64_t> value = number();
      return value ? std::optional(SizeExpr(*value)) : std::nullopt;
    }
    if (rest.consume_front("-")) {
      std::optional<int64_t> value = number();
      return value ? std::optional(SizeExpr(-*value)) : std::nullopt;
    }
    StringRef word = rest.take_while(isNameChar);
    if (word.empty() || word == quotientWord)
      return std::nullopt;
    rest = rest.drop_front(word.size());
    return name(word);
  }

public:
  static bool isNameChar(char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; }
  static bool isPlainName(StringRef text) {
    return !text.empty() && !llvm::isDigit(text.front()) && llvm::all_of(text, isNameChar) &&
           text != quotientWord;
  }

private:
  StringRef rest;
};

SizeExpr::SizeExpr(int64_t constant) {
  if (constant != 0)
    terms[{}] = constant;
}

/// An atom's text is how it stands in a product: a plain name, a name in backticks, or
/// "((sum) floordiv number)".
SizeExpr SizeExpr::name(StringRef name) {
  SizeExpr result;
  result.terms[{Parser::isPlainName(name) ? name.str() : "`" + name.str() + "`"}] = 1;
  return result;
}

SizeExpr SizeExpr::parse(StringRef text) {
  if (Parser::isPlainName(text) || text.size() > maxText)
    return name(text);
  std::optional<SizeExpr> parsed = Parser(text).parse();
  return parsed && !parsed->constant() ? *parsed : name(text);
}

SizeExpr::Atom SizeExpr::atom(StringRef text) {
  if (text.consume_front("`"))
    return {text.drop_back().str(), {}, 1};
  if (!text.starts_with("("))
    return {text.str(), {}, 1};
  // Written by floorDiv below.
  auto [numerator, divisor] = text.drop_front().drop_back().rsplit((" " + quotientWord + " ").str());
  Atom quotient;
  quotient.numerator = Parser(numerator).parse().value_or(SizeExpr());
  divisor.getAsInteger(10, quotient.divisor);
  return quotient;
}

//===- Writing --------------------------------------------------------------===//

std::optional<std::string> SizeExpr::asName() const {
  if (terms.size() != 1 || terms.begin()->second != 1 || terms.begin()->first.size() != 1)
    return std::nullopt;
  Atom only = atom(terms.begin()->first.front());
  return only.name.empty() ? std::nullopt : std::optional(only.name);
}

std::string SizeExpr::text() const {
  if (std::optional<std::string> name = asName())
    return parse(*name) == *this ? *name : terms.begin()->first.front();
  std::string text;
  for (const auto &[product, factor] : terms) {
    // The first term keeps its sign, as "-1 * H + 8".
    bool subtracts = factor < 0 && !text.empty() && factor != INT64_MIN;
    if (!text.empty())
      text += subtracts ? " - " : " + ";
    int64_t shown = subtracts ? -factor : factor;
    if (shown != 1 || product.empty())
      text += std::to_string(shown) + (product.empty() ? "" : " * ");
    text += llvm::join(product, " * ");
  }
  // A quotient alone needs no parentheses around it.
  if (terms.size() == 1 && terms.begin()->second == 1 && terms.begin()->first.size() == 1)
    return StringRef(text).drop_front().drop_back().str();
  return text.empty() ? "0" : text;
}

SizeExpr::Number SizeExpr::constant() const {
  if (terms.empty())
    return 0;
  return terms.begin()->first.empty() ? Number(terms.begin()->second) : std::nullopt;
}

std::vector<std::string> SizeExpr::names() const {
  std::vector<std::string> found;
  auto note = [&](const std::string &name) {
    if (!llvm::is_contained(found, name))
      found.push_back(name);
  };
  for (const auto &[product, factor] : terms)
    for (const std::string &text : product) {
      Atom part = atom(text);
      if (!part.name.empty())
        note(part.name);
      else
        llvm::for_each(part.numerator.names(), note);
    }
  return found;
}

//===- Arithmetic -----------------------------------------------------------===//

bool SizeExpr::add(const Product &product, int64_t factor) {
  int64_t &sum = terms[product];
  if (llvm::AddOverflow(sum, factor, sum))
    return false;
  if (sum == 0)
    terms.erase(product);
  return terms.size() <= maxTerms && product.size() <= maxDegree;
}

std::optional<SizeExpr> SizeExpr::plus(const SizeExpr &other) const {
  SizeExpr result = *this;
  for (const auto &[product, factor] : other.terms)
    if (!result.add(product, factor))
      return std::nullopt;
  return result;
}

std::optional<SizeExpr> SizeExpr::minus(const SizeExpr &other) const {
  std::optional<SizeExpr> negated = other.times(-1);
  return negated ? plus(*negated) : std::nullopt;
}

std::optional<SizeExpr> SizeExpr::times(const SizeExpr &other) const {
  SizeExpr result;
  for (const auto &[a, x] : terms)
    for (const auto &[b, y] : other.terms) {
      int64_t factor;
      Product both = a;
      both.insert(both.end(), b.begin(), b.end());
      llvm::sort(both);
      if (llvm::MulOverflow(x, y, factor) || !result.add(both, factor))
        return std::nullopt;
    }
  return result;
}

std::optional<SizeExpr> SizeExpr::floorDiv(int64_t divisor) const {
  if (divisor <= 0)
    return std::nullopt;
  // Whole multiples of the divisor leave the quotient; the rest has factors in [0, divisor).
  SizeExpr whole, rest;
  for (const auto &[product, factor] : terms) {
    int64_t quotient = llvm::divideFloorSigned(factor, divisor);
    if ((quotient != 0 && !whole.add(product, quotient)) ||
        (factor != quotient * divisor && !rest.add(product, factor - quotient * divisor)))
      return std::nullopt;
  }
  if (rest.constant())
    return whole;
  // (2x + 1) / 4 is x / 2: what is left of the constant is less than the common factor.
  int64_t common = divisor;
  for (const auto &[product, factor] : rest.terms)
    common = product.empty() ? common : std::gcd(common, factor);
  if (common > 1) {
    SizeExpr reduced;
    for (const auto &[product, factor] : rest.terms)
      if (factor / common != 0)
        reduced.terms[product] = factor / common;
    rest = reduced;
    divisor /= common;
  }
  // ((x / a) + k) / b is (x + ka) / (ab).
  const auto &[first, factor] = *rest.terms.begin();
  int64_t offset = rest.terms.size() == 2 && rest.terms.rbegin()->first.empty()
                       ? rest.terms.rbegin()->second : 0;
  if (first.size() == 1 && factor == 1 && first.front().front() == '(' &&
      rest.terms.size() == (offset != 0 ? 2 : 1)) {
    Atom inner = atom(first.front());
    int64_t by, shift;
    std::optional<SizeExpr> flat;
    if (!llvm::MulOverflow(inner.divisor, divisor, by) &&
        !llvm::MulOverflow(inner.divisor, offset, shift) && (flat = inner.numerator.plus(shift)))
      flat = flat->floorDiv(by);
    return flat ? flat->plus(whole) : std::nullopt;
  }
  std::string numerator = rest.text();
  // A product or a name stands alone; a sum needs its parentheses.
  bool isSum = rest.terms.size() > 1;
  std::optional<std::string> name = rest.asName();
  if (name && !Parser::isPlainName(*name))
    numerator = "`" + *name + "`";
  std::string text = "(" + (isSum ? "(" + numerator + ")" : numerator) + " " +
                     quotientWord.str() + " " + std::to_string(divisor) + ")";
  if (text.size() > maxText || StringRef(text).count('(') > maxDepth || !whole.add({text}, 1))
    return std::nullopt;
  return whole;
}

std::optional<SizeExpr> SizeExpr::ceilDiv(int64_t divisor) const {
  std::optional<SizeExpr> raised = divisor > 0 ? plus(divisor - 1) : std::nullopt;
  return raised ? raised->floorDiv(divisor) : std::nullopt;
}

std::optional<SizeExpr> SizeExpr::dividedBy(const SizeExpr &divisor) const {
  if (divisor.terms.empty())
    return std::nullopt;
  const auto &[lead, by] = *divisor.terms.begin();
  SizeExpr rest = *this, quotient;
  // Each step takes the highest term away.
  for (size_t step = 0; step < 4 * maxTerms && !rest.terms.empty(); ++step) {
    const auto &[product, factor] = *rest.terms.begin();
    Product left;
    std::set_difference(product.begin(), product.end(), lead.begin(), lead.end(),
                        std::back_inserter(left));
    if (left.size() != product.size() - lead.size() || factor % by != 0 ||
        (by == -1 && factor == INT64_MIN))
      return std::nullopt;
    SizeExpr term;
    term.terms[left] = factor / by;
    std::optional<SizeExpr> taken = divisor.times(term), next = quotient.plus(term);
    std::optional<SizeExpr> remains = taken ? rest.minus(*taken) : std::nullopt;
    if (!next || !remains)
      return std::nullopt;
    quotient = *next;
    rest = *remains;
  }
  return rest.terms.empty() ? std::optional(quotient) : std::nullopt;
}

//===- Values ---------------------------------------------------------------===//

std::optional<SizeExpr>
SizeExpr::evaluated(llvm::function_ref<Number(StringRef)> value) const {
  SizeExpr sum;
  for (const auto &[product, factor] : terms) {
    std::optional<SizeExpr> term = SizeExpr(factor);
    for (const std::string &text : product) {
      Atom part = atom(text);
      std::optional<SizeExpr> known;
      if (!part.name.empty()) {
        Number number = value(part.name);
        known = number ? SizeExpr(*number) : name(part.name);
      } else if ((known = part.numerator.evaluated(value))) {
        known = known->floorDiv(part.divisor);
      }
      if (!known || !(term = term->times(*known)))
        return std::nullopt;
    }
    std::optional<SizeExpr> next = sum.plus(*term);
    if (!next)
      return std::nullopt;
    sum = *next;
  }
  return sum;
}

std::optional<SizeExpr::Interval> SizeExpr::range(Ranges ranges) const {
  // What is a multiple for all values lies between multiples: "8 * ((h + 7) floordiv 8)".
  uint64_t common = 0;
  for (const auto &[product, factor] : terms)
    common = std::gcd(common, factor < 0 ? -uint64_t(factor) : uint64_t(factor));
  if (common > 1 && common <= uint64_t(INT64_MAX) && terms.size() > 1)
    if (std::optional<SizeExpr> part = dividedBy(SizeExpr(int64_t(common)))) {
      std::optional<Interval> range = part->range(ranges);
      if (!range || llvm::MulOverflow(range->min, int64_t(common), range->min) ||
          llvm::MulOverflow(range->max, int64_t(common), range->max))
        return std::nullopt;
      return range;
    }
  std::optional<Interval> apart = rangeOfTerms(ranges), together = rangeOfWhole(ranges);
  if (!apart || !together)
    return apart ? apart : together;
  return Interval{std::max(apart->min, together->min), std::min(apart->max, together->max)};
}

/// A quotient by d is its numerator less 0 to d - 1, by d. Over one divisor, what numerators have
/// in common cancels: "(N + 2) floordiv 3 - N floordiv 3" is 0 or 1 for all N.
std::optional<SizeExpr::Interval> SizeExpr::rangeOfWhole(Ranges ranges) const {
  int64_t divisor = 1;
  for (const auto &[product, factor] : terms)
    for (const std::string &text : product) {
      Atom part = atom(text);
      if (!part.name.empty())
        continue;
      int64_t common = std::gcd(divisor, part.divisor);
      if (product.size() != 1 || llvm::MulOverflow(divisor, part.divisor / common, divisor))
        return std::nullopt;
    }
  if (divisor == 1)
    return std::nullopt;
  SizeExpr whole;
  Interval lost{0, 0};
  for (const auto &[product, factor] : terms) {
    Atom part = product.size() == 1 ? atom(product.front()) : Atom{"", {}, 1};
    bool isQuotient = product.size() == 1 && part.name.empty();
    SizeExpr term;
    if (isQuotient)
      term = part.numerator;
    else
      term.terms[product] = 1;
    int64_t times, most;
    if (llvm::MulOverflow(factor, divisor / (isQuotient ? part.divisor : 1), times))
      return std::nullopt;
    std::optional<SizeExpr> scaled = term.times(times),
                            sum = scaled ? whole.plus(*scaled) : std::nullopt;
    if (!sum)
      return std::nullopt;
    whole = *sum;
    if (!isQuotient)
      continue;
    int64_t &end = times > 0 ? lost.min : lost.max;
    if (llvm::MulOverflow(times, part.divisor - 1, most) || llvm::SubOverflow(end, most, end))
      return std::nullopt;
  }
  std::optional<Interval> range = whole.range(ranges);
  if (!range || llvm::AddOverflow(range->min, lost.min, range->min) ||
      llvm::AddOverflow(range->max, lost.max, range->max))
    return std::nullopt;
  return Interval{llvm::divideCeilSigned(range->min, divisor),
                  llvm::divideFloorSigned(range->max, divisor)};
}

/// The sum of what each term can be, whatever the others are.
std::optional<SizeExpr::Interval> SizeExpr::rangeOfTerms(Ranges ranges) const {
  Interval sum{0, 0};
  for (const auto &[product, factor] : terms) {
    Interval term{factor, factor};
    for (const std::string &text : product) {
      Atom part = atom(text);
      std::optional<Interval> known =
          part.name.empty() ? part.numerator.range(ranges) : ranges(part.name);
      if (!known)
        return std::nullopt;
      if (part.name.empty())
        known = Interval{llvm::divideFloorSigned(known->min, part.divisor),
                         llvm::divideFloorSigned(known->max, part.divisor)};
      int64_t corners[4];
      if (llvm::MulOverflow(term.min, known->min, corners[0]) ||
          llvm::MulOverflow(term.min, known->max, corners[1]) ||
          llvm::MulOverflow(term.max, known->min, corners[2]) ||
          llvm::MulOverflow(term.max, known->max, corners[3]))
        return std::nullopt;
      term = {*llvm::min_element(corners), *llvm::max_element(corners)};
    }
    if (llvm::AddOverflow(sum.min, term.min, sum.min) ||
        llvm::AddOverflow(sum.max, term.max, sum.max))
      return std::nullopt;
  }
  return sum;
}

AffineExpr SizeExpr::affine(MLIRContext *context,
                            llvm::function_ref<AffineExpr(StringRef)> leaf) const {
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (const auto &[product, factor] : terms) {
    AffineExpr term;
    for (const std::string &text : product) {
      Atom part = atom(text);
      AffineExpr known = part.name.empty() ? part.numerator.affine(context, leaf) : leaf(part.name);
      if (!known)
        return nullptr;
      if (part.name.empty())
        known = known.floorDiv(part.divisor);
      term = term ? term * known : known;
    }
    AffineExpr constant = getAffineConstantExpr(factor, context);
    sum = sum + (term ? term * constant : constant);
  }
  return sum;
}

} // namespace burin::onnx
