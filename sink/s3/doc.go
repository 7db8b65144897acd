// Package s3 is the sink that puts each picture of a row into a bucket of any store
// that speaks S3, under a path made from its key, and takes it out when the image is
// removed.
//
// A delivery ends once the store has proved that it holds the right bytes: by the
// digest that it answers with, or else by being read back. Only then are the
// aliases written, the stable names of a row's newest pictures. What is there
// already is not sent again.
//
// The SDK retries nothing but a connection that failed: the daemon's own tries are
// durable.
package s3
