# SPDX-License-Identifier: Apache-2.0
#
#   burin_add_model(TARGET MODEL model.onnx
#                   [NAME name] [CPU cpu] [DIM name=8 ...] [INPUT name=1x3x224x224 ...]
#                   [OPTIONS ...] [DEPENDS ...])
#
# Compiles a model into the static library TARGET: what links it gets the model, the runtime, the
# folder of the typed header <name>.h and that of burin/burin.h. The model is compiled anew when
# it, one of its external weights, the compiler or a file of DEPENDS changes.
#
#   NAME     of the symbol burin_model_<name> and of <name>.h; TARGET by default
#   CPU      the level or name to compile for. By default this machine's own; when
#            cross-compiling, the lowest level that burin knows of CMAKE_SYSTEM_PROCESSOR
#   DIM, INPUT, OPTIONS   to `burin compile`: --dim, --input, and the rest as it is
#
# The compiler is the target burin::burin, which runs on the machine that builds; the cache
# variable BURIN_EXECUTABLE names another.

function(burin_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "MODEL;NAME;CPU" "DIM;INPUT;OPTIONS;DEPENDS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "burin_add_model(${target}): what is '${ARG_UNPARSED_ARGUMENTS}'?")
  endif()
  if(NOT ARG_MODEL)
    message(FATAL_ERROR "burin_add_model(${target}): say which model: MODEL model.onnx")
  endif()
  get_filename_component(model ${ARG_MODEL} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT ARG_NAME)
    set(ARG_NAME ${target})
  endif()
  if(NOT ARG_NAME MATCHES "^[A-Za-z][A-Za-z0-9_]*$")
    message(FATAL_ERROR "burin_add_model(${target}): '${ARG_NAME}' is no C name: give NAME one")
  endif()

  if(NOT ARG_CPU AND CMAKE_CROSSCOMPILING)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
      set(ARG_CPU x86-64-v3)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
      set(ARG_CPU aarch64)
    else()
      message(FATAL_ERROR "burin_add_model(${target}): no CPU is known for the processor "
        "'${CMAKE_SYSTEM_PROCESSOR}': give CPU one")
    endif()
  endif()
  set(options)
  if(ARG_CPU)
    list(APPEND options --cpu ${ARG_CPU})
  endif()
  foreach(dim IN LISTS ARG_DIM)
    list(APPEND options --dim ${dim})
  endforeach()
  foreach(input IN LISTS ARG_INPUT)
    list(APPEND options --input ${input})
  endforeach()

  # A folder of its own: each model comes with the runtime of its processor.
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.burin)
  file(MAKE_DIRECTORY ${folder})
  set(archive ${folder}/${ARG_NAME}.a)
  set(runtime ${folder}/libburin_rt.a)
  add_custom_command(
    OUTPUT ${archive} ${runtime} ${folder}/${ARG_NAME}.h
    COMMAND burin::burin compile ${model} -o ${archive} --depfile ${archive}.d ${options}
            ${ARG_OPTIONS}
    DEPFILE ${archive}.d
    DEPENDS burin::burin $<TARGET_FILE:burin::burin> ${model} ${ARG_DEPENDS}
    COMMENT "Compiling ${ARG_MODEL}" VERBATIM)
  add_custom_target(${target}-compile DEPENDS ${archive} ${runtime} ${folder}/${ARG_NAME}.h)
  add_library(${target} STATIC IMPORTED GLOBAL)
  add_dependencies(${target} ${target}-compile)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION ${archive}
    INTERFACE_INCLUDE_DIRECTORIES ${folder}
    INTERFACE_LINK_LIBRARIES "${runtime};burin::headers")
endfunction()
