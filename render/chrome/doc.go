// Package chrome turns pages into pictures with Chromes of its own.
//
// A Pool keeps a few browsers in their places, each with a few seats. A seat
// holds a session: one tab, bound to a page, a width and a height, in a browser
// context and an origin of its own, that was loaded once. Per row it does two
// things: prepare (put the document into the page from a pristine state, wait
// for style sheets, images and fonts, run the layout script where the page asks
// for it, look for characters that no font has) and capture. Other ways to make
// bytes of a prepared page belong beside capture.
//
// A browser's place is the state machine that heals the pool:
//
//	stopped ──work──▶ starting ──drew a picture, in a sandbox──▶ ready ◀─▶ busy
//	   ▲                 │ ▲                                      │
//	   └──────idle───────┼─┼──────────────────────────────────────┤
//	        failed ◀─────┘ └── died, hung, worn out ◀─────────────┘
//	           └──backoff──▶ starting
//
// A row that goes down with its browser is tried once more, in another one and
// alone in it, so that the second crash is its own fault and no neighbour's.
//
// Chrome reaches nothing: its proxy is this process, which serves the shell and
// the assets of the rows in hand on origins that can't be guessed, and dials
// nobody. It runs as a user without rights, in its sandbox, in a process group
// and a profile of its own, and dies with this process however that dies.
//
// The package knows nothing of rows, templates and storage. It takes whole
// documents and gives bytes.
package chrome
