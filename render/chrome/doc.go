// Package chrome turns pages into pictures with Chromes of its own.
//
// A Pool keeps a few browsers in their places, each with a few seats. A seat
// holds a session: one tab, bound to a page, a size and a scale, in a browser
// context and an origin of its own, that was loaded once. Rows that wait for a
// seat get it together where they can be drawn together: that is a round.
//
// # Lanes
//
// A row is always prepared in the same way: its document is put into the page
// from a pristine state (page.js), its style sheets, images and fonts are waited
// for, the layout script is run where the page asks for it, and characters that no
// font has are looked for (glyphs.js). Bytes come of it in one of two lanes:
//
//   - plain: the tab shows the document, and Chrome captures it, or prints it, or
//     captures it frame by frame. This is right by definition.
//   - staged (stage.js): the tab has up to eight canvases, each with a frame for a
//     whole document in it. The documents are drawn into the canvases without a
//     compositor, encoded in the page, and posted to the origin's mailbox. This
//     needs a young feature of Chrome, and is two to five times as fast.
//
// At its start a Chrome is asked to draw a known picture in both. The first row
// of each page is drawn in both and compared, later a sample of its rows, and the
// staged lane is left where they do not agree. Which lane is faster for a format
// the pool measures in its first rest. What a row gets does not depend on when
// it came: the first one gets what the stage made of it, too.
//
// # Life
//
// A browser's place is the state machine that heals the pool:
//
//	stopped ──work──▶ starting ──drew a picture, in a sandbox──▶ ready ◀─▶ busy
//	   ▲                 │ ▲                                      │
//	   └──────idle───────┼─┼──────────────────────────────────────┤
//	        failed ◀─────┘ └── died, hung, worn out ◀─────────────┘
//	           └──backoff──▶ starting
//
// A round that goes down is tried again row by row. A row that goes down with its
// browser is tried once more, in another one and alone in it, so that the second
// crash is its own fault and no neighbour's. What hangs has its tab closed; where
// that does not help, its browser is killed.
//
// Chrome reaches nothing: its proxy is this process, which serves shells, the
// encoder and the assets of the rows in hand on origins that can't be guessed,
// and dials nobody. It runs as a user without rights, in its sandbox, in a process
// group and a profile of its own, and dies with this process however that dies.
//
// The package knows nothing of rows, templates and storage. It takes whole
// documents and gives bytes.
package chrome
