// SPDX-License-Identifier: Apache-2.0
//
// Objects with and without symbols that an artifact may use.

#include "compiler/emit/Artifact.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"

#include <cstdlib>

using namespace burin;

static const Target &target() {
  static std::unique_ptr<Target> made = llvm::cantFail(makeTarget("cpu", "x86-64-v3"));
  return *made;
}

static Object compile(const std::string &name, const std::string &text) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, diagnostic, context);
  if (!module) {
    diagnostic.print(name.c_str(), llvm::errs());
    exit(1);
  }
  module->setModuleIdentifier(name);
  return llvm::cantFail(target().emitModule(*module));
}

static void expect(std::vector<Object> objects, const std::string &message) {
  llvm::Error error = checkSymbols(objects, target().architecture());
  std::string said = llvm::toString(std::move(error));
  if (said == message)
    return;
  llvm::errs() << "expected: " << message << "\nbut was:  " << said << "\n";
  exit(1);
}

int main() {
  // The C library's listed functions, the runtime's, the weights, and each other's.
  Object main = compile("main", R"(
    declare void @kernel(ptr)
    declare hidden i32 @burin_rt_run(...)
    @burin_weights = external hidden constant i8
    @table = constant [2 x ptr] [ptr @burin_rt_run, ptr @burin_weights]
    define void @main(ptr %x) {
      call void @kernel(ptr %x)
      ret void
    })");
  Object kernel = compile("kernels0", R"(
    declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
    define void @kernel(ptr %x) {
      call void @llvm.memset.p0.i64(ptr %x, i8 0, i64 100000, i1 false)
      ret void
    })");
  expect({main, kernel}, "");

  expect({main}, "object 'main' refers to 'kernel' in 'main', which neither the artifact nor the "
                 "list of the C library's symbols has");

  Object maths = compile("kernels1", R"(
    declare float @expf(float)
    define void @Softmax_3_k0(ptr %x) {
      %a = load float, ptr %x
      %b = call float @expf(float %a)
      store float %b, ptr %x
      ret void
    })");
  expect({main, kernel, maths},
         "object 'kernels1' refers to 'expf' in 'Softmax_3_k0', which neither the artifact nor the "
         "list of the C library's symbols has");

  // A conversion that this CPU level has no instruction for is a compiler-rt call.
  Object conversion = compile("kernels2", R"(
    define void @Cast_7_k1(ptr %x) {
      %a = load double, ptr %x
      %b = fptrunc double %a to bfloat
      store bfloat %b, ptr %x
      ret void
    })");
  expect({conversion}, "object 'kernels2' refers to '__truncdfbf2' in 'Cast_7_k1', which neither the "
                       "artifact nor the list of the C library's symbols has");
}
