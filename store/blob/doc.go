// Package blob keeps bytes by their SHA-256: in a folder, or in a bucket of any
// store that speaks S3. What Put has returned survives a power cut. In a folder it
// was written under a temporary name, synced, renamed, and its folder synced; in a
// bucket the store has proved it by a digest. A name holds either all of its bytes
// or does not exist.
//
// The package knows neither images nor who refers to them. It deletes its own
// leftovers, and what Remove names: unless somebody put it since, for whoever
// puts bytes that are there already relies on them as if they were new.
//
// # Removal from a bucket
//
// A store of S3 removes an object whatever was put under its name a moment before.
// So that no Put loses what it promised, whoever removes says so first:
//
//   - It puts the object "removing", whose LastModified M is the beginning of a
//     session, and only then looks how old each object is. What is removed is
//     signed as of M, to be refused by the store itself once the lease is over:
//     whatever is late on its way, or sent by a process that was frozen, comes to
//     nothing.
//   - A Put that finds nothing writes, and needs nothing else. One that finds old
//     bytes writes them anew and then looks at M. Where the session of M may have
//     looked before it wrote, it waits until that session's lease is over, and
//     looks whether the bytes are there; else it writes them again.
//   - A Put that finds young bytes trusts them: Remove takes none that are younger
//     than the rest that its caller asks for and the time for which they are
//     trusted.
//
// All ages are differences between two times of the store's own clock.
package blob
