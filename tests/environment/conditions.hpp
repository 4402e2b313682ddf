// Poor conditions that a process can impose on itself.
#pragma once

#include <cstddef>

namespace environment {

// Makes the system calls in `names` (separated by commas) fail with `error` in this thread and in threads that it
// starts; with `all_threads`, in the whole process. Ends the program for an unknown name or if the kernel refuses.
void refuse_calls(const char* names, int error, bool all_threads);
// Refuses memory that is executable, or becomes so, while it can be written, like systemd's MemoryDenyWriteExecute.
void refuse_writable_code();
// Takes mappings until only `left` more can be made. False: this machine allows too many to try.
bool take_mappings(std::size_t left);
// For threads started from now on.
void set_stack_size(std::size_t bytes);

}  // namespace environment
