# Writes a header that names the commit of the sources:
#
#     cmake -D SOURCE=DIR -D HEADER=FILE -P scripts/dev/commit.cmake
#
# Runs at every build.  The file is rewritten only where it would change, so that nothing is compiled again without need.
# A source tree that is not in a repository (a tarball, also one unpacked below another repository) has no commit.
set(paths src scripts/dev/commit.cmake CMakeLists.txt) # what a program is built from

function(ask RESULT OUTPUT) # ARGUMENT...: what git says of SOURCE, whatever repository a hook of git is at work in
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=GIT_DIR --unset=GIT_WORK_TREE --unset=GIT_INDEX_FILE
                          ${GIT} --no-optional-locks -C "${SOURCE}" ${ARGN}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  set(${RESULT} ${result} PARENT_SCOPE)
  set(${OUTPUT} "${output}" PARENT_SCOPE)
endfunction()

set(commit unknown)
find_program(GIT git)
if(GIT)
  ask(is_foreign ignored ls-files --error-unmatch CMakeLists.txt)
  ask(has_none hash rev-parse --short=10 HEAD)
  if(is_foreign EQUAL 0 AND has_none EQUAL 0)
    set(commit ${hash})
    ask(failed changes status --porcelain -- ${paths})
    if(changes OR NOT failed EQUAL 0)
      string(APPEND commit ", changed")
    endif()
  endif()
endif()

set(content "#define SN_COMMIT \"${commit}\"\n")
set(before "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" before)
endif()
if(NOT content STREQUAL before)
  file(WRITE "${HEADER}" "${content}")
endif()
