// Package sink is the contract of whatever tells the outside world about a
// finished image, and what its kinds share.
//
// The daemon owns the outbox: it plans one delivery per sink, key and
// generation, keeps their order, retries and gives up. A sink makes one attempt
// and says by its error what is to be done: nil is delivered, retry.Permanent
// ends the delivery as a dead letter, retry.After waits so long, any other error
// backs off. It knows neither how an image was made nor any other sink.
//
// Each kind passes sinktest.Run.
package sink
