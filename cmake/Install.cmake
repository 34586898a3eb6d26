# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install build/release --prefix DIR` copies: the tools, the headers, the runtime,
# the CMake package and the pkg-config file. The tree may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# As the installed package has them: samples and tests in this build use these names.
add_executable(burin::burin ALIAS burin)
add_library(burin::headers ALIAS burin_headers)
add_library(burin::runtime ALIAS burin_rt_${BURIN_HOST_ARCHITECTURE})

install(TARGETS burin burin-run burin-opt RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS burin_rt_${BURIN_HOST_ARCHITECTURE} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# What other machines need has a folder of its own: lib/burin/aarch64.
foreach(architecture IN LISTS BURIN_CROSS_ARCHITECTURES)
  set(folder ${CMAKE_INSTALL_LIBDIR}/burin/${architecture})
  install(TARGETS burin_rt_${architecture} ARCHIVE DESTINATION ${folder})
  if(TARGET burin-run-${architecture})
    install(TARGETS burin-run-${architecture} RUNTIME DESTINATION ${folder})
  endif()
endforeach()
# abi.h is between the compiler and the runtime alone.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/runtime/include/burin
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} PATTERN abi.h EXCLUDE)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/burin)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/burinConfig.cmake.in burinConfig.cmake
  INSTALL_DESTINATION ${package}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a minor version may change the interface: docs/abi.md.
write_basic_package_version_file(burinConfigVersion.cmake COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES ${CMAKE_BINARY_DIR}/burinConfig.cmake ${CMAKE_BINARY_DIR}/burinConfigVersion.cmake
  ${CMAKE_SOURCE_DIR}/cmake/BurinAddModel.cmake DESTINATION ${package})

file(RELATIVE_PATH BURIN_PC_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" BURIN_PC_PREFIX "${BURIN_PC_PREFIX}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/burin.pc.in burin.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/burin.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/burin)
