// SPDX-License-Identifier: Apache-2.0
//
// A loop is what lies between a branch and the earlier instruction that it goes to. What an instruction
// does is in the name that LLVM gives it: VADDPSYrr adds vectors, VADDSSrr single numbers.

#include "compiler/emit/CodeMix.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstrAnalysis.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;

namespace burin {
namespace {

enum class Kind : uint8_t { Other, VectorArithmetic, ScalarArithmetic, VectorStore, ScalarStore };

/// Names of instructions, by what they do; the first pattern that matches counts.
struct Pattern {
  Kind kind;
  const char *names;
};

constexpr Pattern x86Patterns[] = {
    {Kind::VectorArithmetic, "^V?(ADD|SUB|MUL|DIV|MAXC?|MINC?|SQRT|FN?M(ADD|SUB)[0-9]+)P[SDH]"},
    {Kind::ScalarArithmetic, "^V?(ADD|SUB|MUL|DIV|MAXC?|MINC?|SQRT|FN?M(ADD|SUB)[0-9]+)S[SDH]"},
    {Kind::VectorArithmetic, "^VP(ADD|SUB|MUL|MADD|DPB|DPW|MAX|MIN)|^VDPBF16"},
    {Kind::ScalarStore, "^MOV(8|16|32|64)m[ri]|^V?MOV(SS|SD|SH|D|Q|DI2PDI|PQI2QI|PDI2DI)Z?mr|"
                        "^V?P?EXTR(B|W|D|Q|ACTPS).*mr"},
    {Kind::VectorStore, "^V.*mri?k?$"},
};

constexpr Pattern armPatterns[] = {
    {Kind::VectorArithmetic, "^F(ADD|SUB|MUL|DIV|MLA|MLS|MAX|MAXNM|MIN|MINNM|SQRT)v[248]"},
    {Kind::ScalarArithmetic,
     "^F(N?MADD|N?MSUB|N?MUL|ADD|SUB|DIV|MLA|MLS|MAX|MAXNM|MIN|MINNM|SQRT)([SDH]r|v1)"},
    {Kind::VectorArithmetic, "^([SU]DOT|[SU]MLAL|[SU]MULL|MLA|MUL|ADD|SUB|[SU](MAX|MIN))v[248]"},
    {Kind::VectorStore, "^ST(R|P|UR|NP)Q|^ST[1234](One|Two|Three|Four|i)"},
    {Kind::ScalarStore, "^ST(R|P|UR|NP|RB|RH|URB|URH|RBB|RHH|URBB|URHH)[SDHBWX]?(ro|ui|i|pre|post)"},
};

/// LLVM's disassembler of one architecture.
class Reader {
public:
  static Expected<std::unique_ptr<Reader>> make(Architecture architecture) {
    bool isX86 = architecture == Architecture::X86_64;
    static const bool ready = (InitializeAllTargetInfos(), InitializeAllTargetMCs(),
                               InitializeAllDisassemblers(), true);
    (void)ready;
    Triple triple(isX86 ? "x86_64-unknown-linux-gnu" : "aarch64-unknown-linux-gnu");
    std::string why;
    const llvm::Target *target = TargetRegistry::lookupTarget(triple, why);
    if (!target)
      return createStringError(why);
    auto reader = std::unique_ptr<Reader>(new Reader);
    reader->step = isX86 ? 1 : 4;
    reader->patterns = isX86 ? ArrayRef<Pattern>(x86Patterns) : ArrayRef<Pattern>(armPatterns);
    MCTargetOptions options;
    reader->registers.reset(target->createMCRegInfo(triple));
    reader->assembly.reset(target->createMCAsmInfo(*reader->registers, triple, options));
    // All that any CPU of the architecture can run.
    reader->subtarget.reset(target->createMCSubtargetInfo(triple, "", isX86 ? "" : "+all"));
    reader->instructions.reset(target->createMCInstrInfo());
    reader->analysis.reset(target->createMCInstrAnalysis(reader->instructions.get()));
    reader->context = std::make_unique<MCContext>(triple, reader->assembly.get(),
                                                  reader->registers.get(), reader->subtarget.get());
    reader->decoder.reset(target->createMCDisassembler(*reader->subtarget, *reader->context));
    if (!reader->decoder || !reader->analysis)
      return createStringError("LLVM has no disassembler for " + triple.str());
    return reader;
  }

  CodeMix read(ArrayRef<uint8_t> code, uint64_t address) {
    struct Found {
      uint64_t at;
      Kind kind;
    };
    std::vector<Found> found;
    std::map<uint64_t, uint64_t> ends; // of loops, by where they begin
    for (uint64_t at = 0; at < code.size();) {
      MCInst instruction;
      uint64_t size = 0, target = 0;
      auto status = decoder->getInstruction(instruction, size, code.drop_front(at), address + at, nulls());
      if (status != MCDisassembler::Success || size == 0) {
        at += step;
        continue;
      }
      if (Kind kind = kindOf(instruction.getOpcode()); kind != Kind::Other)
        found.push_back({address + at, kind});
      if (analysis->isBranch(instruction) &&
          analysis->evaluateBranch(instruction, address + at, size, target) &&
          target <= address + at && target >= address)
        ends[target] = address + at;
      at += size;
    }
    // Innermost are those that begin behind the end of the one before, in the order of their ends.
    std::vector<std::pair<uint64_t, uint64_t>> inner;
    std::vector<std::pair<uint64_t, uint64_t>> loops(ends.begin(), ends.end());
    llvm::sort(loops, [](auto a, auto b) { return a.second < b.second; });
    for (auto loop : loops)
      if (inner.empty() || inner.back().second < loop.first)
        inner.push_back(loop);
    CodeMix mix;
    mix.bytes = code.size();
    mix.loops = unsigned(inner.size());
    for (const Found &each : found) {
      auto loop = llvm::partition_point(inner, [&](auto it) { return it.second < each.at; });
      if (inner.empty() || (loop != inner.end() && loop->first <= each.at))
        add(mix, each.kind);
    }
    return mix;
  }

private:
  static void add(CodeMix &mix, Kind kind) {
    mix.vectorArithmetic += kind == Kind::VectorArithmetic;
    mix.scalarArithmetic += kind == Kind::ScalarArithmetic;
    mix.vectorStores += kind == Kind::VectorStore;
    mix.scalarStores += kind == Kind::ScalarStore;
  }

  Kind kindOf(unsigned opcode) {
    auto [it, inserted] = kinds.try_emplace(opcode, Kind::Other);
    if (!inserted)
      return it->second;
    StringRef name = instructions->getName(opcode);
    for (const Pattern &pattern : patterns) {
      bool isStore = pattern.kind == Kind::VectorStore || pattern.kind == Kind::ScalarStore;
      if (isStore && !instructions->get(opcode).mayStore())
        continue;
      if (Regex(pattern.names).match(name))
        return it->second = pattern.kind;
    }
    return Kind::Other;
  }

  uint64_t step = 1;
  ArrayRef<Pattern> patterns;
  DenseMap<unsigned, Kind> kinds; // by opcode
  std::unique_ptr<MCRegisterInfo> registers;
  std::unique_ptr<MCAsmInfo> assembly;
  std::unique_ptr<MCSubtargetInfo> subtarget;
  std::unique_ptr<MCInstrInfo> instructions;
  std::unique_ptr<MCInstrAnalysis> analysis;
  std::unique_ptr<MCContext> context;
  std::unique_ptr<MCDisassembler> decoder;
};

} // namespace

std::optional<double> CodeMix::vectorShare() const {
  auto share = [](unsigned vector, unsigned scalar) {
    return double(vector) / (double(vector) + double(scalar));
  };
  if (vectorArithmetic + scalarArithmetic > 0)
    return share(vectorArithmetic, scalarArithmetic);
  if (vectorStores + scalarStores > 0)
    return share(vectorStores, scalarStores);
  return std::nullopt;
}

Expected<std::map<std::string, CodeMix>> codeMixOf(ArrayRef<Object> objects,
                                                   Architecture architecture) {
  Expected<std::unique_ptr<Reader>> reader = Reader::make(architecture);
  if (!reader)
    return reader.takeError();
  std::map<std::string, CodeMix> mixes;
  for (const Object &object : objects) {
    MemoryBufferRef buffer({object.bytes.data(), object.bytes.size()}, object.name);
    Expected<std::unique_ptr<object::ObjectFile>> file = object::ObjectFile::createELFObjectFile(buffer);
    if (!file)
      return file.takeError();
    for (object::ELFSymbolRef symbol : (*file)->symbols()) {
      auto type = symbol.getType();
      auto name = symbol.getName();
      auto section = symbol.getSection();
      auto address = symbol.getAddress();
      if (!type || !name || !section || !address)
        return joinErrors(joinErrors(type.takeError(), name.takeError()),
                          joinErrors(section.takeError(), address.takeError()));
      if (*type != object::SymbolRef::ST_Function || *section == (*file)->section_end())
        continue;
      Expected<StringRef> code = (*section)->getContents();
      if (!code)
        return code.takeError();
      uint64_t offset = *address - (*section)->getAddress();
      StringRef bytes = code->substr(offset, symbol.getSize());
      mixes[name->str()] = (*reader)->read(arrayRefFromStringRef(bytes), *address);
    }
  }
  return mixes;
}

} // namespace burin
