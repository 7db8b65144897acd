// Package client speaks to a running daemon over its API, as a user's own program
// would: it sends a file of rows as a batch, watches the job, and fetches what
// came of it. It outlives connections: whatever breaks off goes on where it was.
package client
