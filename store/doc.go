// Package store is the ledger: rows, the images that they should have, the
// renders that nobody has made yet, the deliveries that nobody has sent yet,
// jobs, cursors and the queue's turns, in one SQL database. What belongs
// together is one method and one commit; no transaction crosses its border.
//
// It keeps and returns what it was given. It refuses to know why an image is
// affected, how a picture is made, whether a reading is suspicious (it asks the
// reading's Judge), or what a sink does with a delivery.
//
// The same SQL text serves SQLite, the default, and Postgres. On SQLite one
// goroutine writes and waiting writers share a commit; on Postgres each has its
// own transaction, in which rows are locked in a fixed order.
//
// An item is the images of one row of a binding or a job:
//
//	(proposed) ──promote──▶ waiting ──last output ended──▶ ready | failed
//	     every promotion raises the generation; removed ◀── promote(Remove)
//
// A render is the work for one fingerprint, whoever wants it:
//
//	waiting ──ClaimRenders──▶ claimed ──FinishRenders──▶ done | failed
//	   ▲───── Retry, end of the turn, death of the process ────┘
//
// It is held while only paused jobs want it, and resting until another try is due.
//
// A delivery is one row of the outbox per sink, item and generation:
//
//	waiting ──ClaimDeliveries──▶ claimed ──FinishDeliveries──▶ delivered | dead
//	   ▲─────── a failed try, death of the process ──────┘      (or superseded)
//
// A turn is a River job: permission for one worker to claim once. Turns are
// hints and may be lost or doubled; the rows above are the truth, and a sweep
// adds turns where work waits and none is there.
package store
