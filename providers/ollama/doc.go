// Package ollama runs models inside an Ollama service that somebody else
// started.
//
// A launch becomes a derived model: a tag, named after the served name, that is
// the base model plus the declared parameters and template. Parameters that are
// only sent along with a request would last until the next client that sends
// none; parameters of a tag hold for everybody. The tag is loaded and kept
// loaded.
//
// What belongs to us is told by a marker: one more license text in the derived
// model, "loadout-instance TOKEN owner HASH". Ollama shows license texts and
// does nothing else with them. No state of our own is needed to find an
// instance, and a tag without our marker is never overwritten or deleted. A
// launch that declares nothing beyond its base, under the base's own name, needs
// no derived model: the base itself is loaded.
//
// Ollama runs one runner for one set of weights, whatever the number of tags
// that use them, and lists it under the tag that asked first. So "is it loaded"
// is answered by the weights, not by the name.
//
// The package never starts, stops or configures the service, never deletes a
// base model, and never passes a parameter in a request that would make Ollama
// load the model anew.
package ollama
