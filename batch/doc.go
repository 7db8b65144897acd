// Package batch counts a job's rows and says when it is done.
//
// A job is one template and many rows that came in one request. Decode reads
// the request as it comes and hands out its rows one by one, so that they can be
// staged while the rest is still on its way; nothing is planned before the whole
// request was read, because what follows the rows may change them. A Planner
// then turns rows into proposals, the same that a binding makes of its rows: a
// batch gets dedupe and retries for free.
//
//	request ──Decode──▶ rows, staged ── accepted ──Planner──▶ proposals ──▶ results ──▶ View, Completion
//
// A row that is wrong in itself never refuses the batch: it is a failed row. The
// package does not know how rows are rendered, where they are kept, nor HTTP.
package batch
