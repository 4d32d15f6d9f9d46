# find_package(liballocs) gives
#   liballocs::liballocs   the headers and what to link, for target_link_libraries
#   liballocs_PRELOAD      the run-time library, for LD_PRELOAD
#   liballocs_CC           the compiler driver, for CMAKE_C_COMPILER
#   liballocs_CXX          the same for C++, for CMAKE_CXX_COMPILER
get_filename_component(_liballocs_prefix "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
get_filename_component(_liballocs_prefix "${_liballocs_prefix}/@UP@/../.." ABSOLUTE)

set(liballocs_PRELOAD "${_liballocs_prefix}/@LIBDIR@/liballocs_preload.so")
set(liballocs_CC "${_liballocs_prefix}/bin/allocscc")
set(liballocs_CXX "${_liballocs_prefix}/bin/allocscc++")

if(NOT TARGET liballocs::liballocs)
  add_library(liballocs::liballocs INTERFACE IMPORTED)
  set_target_properties(liballocs::liballocs PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${_liballocs_prefix}/include"
    INTERFACE_LINK_LIBRARIES "${_liballocs_prefix}/@LIBDIR@/liballocs.a")
endif()
unset(_liballocs_prefix)
