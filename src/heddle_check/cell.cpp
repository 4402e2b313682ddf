#include "heddle_check/cell.hpp"

#include <fmt/format.h>

#include "heddle_check/core/entered.hpp"

namespace heddle_check::detail {
namespace {

[[noreturn]] void race(Execution& execution, ObjectId id, const char* access, const char* before, ThreadId other,
                       Site site) {
  const Object& cell = execution.objects()[id];
  const std::string where =
      other == cell.owner ? fmt::format(" (last written at {}:{})", cell.site.file_name(), cell.site.line()) : "";
  execution.fail(FailureKind::kRace,
                 fmt::format("{} is {}, and nothing orders this after {} thread {}{}", execution.objects().label(id),
                             access, before, execution.thread(other).name, where),
                 site);
}

// Null if nothing is checked.
Object* enter(const Entered& execution, ObjectRef& ref, const char* name, OperationKind kind, Site site) {
  if (execution == nullptr || !execution->tracks_knowledge()) return nullptr;
  Object& cell = execution->use(ref, ObjectType::kCell, name, site);
  if (execution->recording()) execution->add_row({kind, ref.id, site});
  return &cell;
}

void check_write_before(Execution& execution, ObjectId id, const char* access, Site site) {
  const Object& cell = execution.objects()[id];
  if (cell.owner == kNoThread || cell.owner == execution.running()) return;
  if (cell.written_at > execution.self().knowledge.hb[cell.owner]) {
    race(execution, id, access, "the write by", cell.owner, site);
  }
}

}  // namespace

void note_read(ObjectRef& ref, const char* name, Site site) {
  const Entered execution;
  Object* cell = enter(execution, ref, name, OperationKind::kCellRead, site);
  if (cell == nullptr) return;
  check_write_before(*execution, ref.id, "read", site);
  const ThreadId self = execution->running();
  cell->knowledge.hb[self] = execution->self().knowledge.hb[self];
}

void note_write(ObjectRef& ref, const char* name, Site site) {
  const Entered execution;
  Object* cell = enter(execution, ref, name, OperationKind::kCellWrite, site);
  if (cell == nullptr) return;
  check_write_before(*execution, ref.id, "written", site);
  const ThreadId self = execution->running();
  const VectorClock& known = execution->self().knowledge.hb;
  for (ThreadId i = 0; i < execution->threads(); ++i) {
    if (i != self && cell->knowledge.hb[i] > known[i]) race(*execution, ref.id, "written", "a read by", i, site);
  }
  cell->owner = self;
  cell->written_at = known[self];
  cell->site = site;
}

}  // namespace heddle_check::detail
