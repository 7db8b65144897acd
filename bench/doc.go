// Package bench measures how fast a renderer makes pictures of rows. A Workload
// is a template with rows made from a seed, so that every run, and every peer
// that Export hands the same documents to, draws the same pictures. Run draws
// one with a render.Renderer; Report sets the results of several peers beside
// each other. README.md of this folder says how the whole is run.
package bench
