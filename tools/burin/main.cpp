// SPDX-License-Identifier: Apache-2.0
//
// burin: compiles ONNX models to native code, runs and inspects the result.

#include "tools/burin/Commands.h"

#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  CLI::App app{"burin compiles a trained model (ONNX) to native code that a program links.\n"
               "\n"
               "  burin compile model.onnx -o model.so     compile for this machine\n"
               "  burin run model.so -i x=x.npy -o out     run it on data\n"
               "  burin explain model.onnx                 what becomes of each node\n"
               "  burin verify model.onnx                  compare the result with one in f64\n"
               "\n"
               "Exit codes: 0 fine; 1 the work failed; 2 the command line or a file is bad;\n"
               "3 the model asks for what is not supported; 4 a bug of burin."};
  app.name("burin");
  app.set_version_flag("--version", "burin " BURIN_VERSION);
  app.require_subcommand(1);
  burin::cli::Action action;
  burin::cli::addCompile(app, action);
  burin::cli::addRun(app, action);
  burin::cli::addBench(app, action);
  burin::cli::addTest(app, action);
  burin::cli::addVerify(app, action);
  burin::cli::addInspect(app, action);
  burin::cli::addExplain(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp &help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion &version) {
    return app.exit(version);
  } catch (const CLI::ParseError &error) {
    std::string verb = argc > 1 ? argv[1] : "";
    bool isKnown = !app.get_subcommands([&](const CLI::App *known) {
                         return known->get_name() == verb;
                       }).empty();
    if (verb.empty() || isKnown || verb[0] == '-')
      llvm::errs() << "error: " << error.what();
    else
      llvm::errs() << "error: unknown verb '" << verb << "'";
    llvm::errs() << "; see burin " << (isKnown ? verb + " " : "") << "--help\n";
    return int(burin::ExitCode::BadInput);
  }
  return int(action());
}
