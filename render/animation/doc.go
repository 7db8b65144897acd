// Package animation turns a sequence of stills into one moving picture: a GIF
// out of images, or an animated WebP out of still WebP files, which it puts
// together without decoding them. It knows pixels, delays and files; it does
// not know where the stills come from.
//
// An animation is filled frame by frame with Add and Hold, and then written
// once or several times with Encode. The same frames give the same bytes on one
// machine. An animation that refused a frame stays refused: a film with a hole is
// none.
//
// A GIF has one table of colours for all its frames, exact when they have no
// more colours than fit into it, no dithering unless asked for, and holds of each
// frame only the rectangle that changed. In memory it is 8 bytes a pixel of one
// frame, at most as much again while it is written, 3 MB of colours, and what
// differs from frame to frame, at 2 bytes a pixel or less: at most Options.Memory
// of that. A WebP is its stills, at most Options.Memory.
package animation
