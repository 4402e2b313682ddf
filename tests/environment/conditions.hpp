// Poor conditions that a process can put itself under.
#pragma once

#include <cstddef>

namespace environment {

// Lets the system calls in `names` (separated by commas) fail with `error` in this thread and in those that it starts;
// with `all_threads`, in all of the process. Ends the program for an unknown name or where the kernel refuses.
void refuse_calls(const char* names, int error, bool all_threads);
// Memory that is or becomes executable while it can be written is refused, as systemd's MemoryDenyWriteExecute does.
void refuse_writable_code();
// Takes mappings until only `left` more can be made. False: this machine allows too many to try.
bool take_mappings(std::size_t left);
// Of threads that are started from now on.
void set_stack_size(std::size_t bytes);

}  // namespace environment
