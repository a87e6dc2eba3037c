"""RunPod's Hub asks for a file of this name. The worker is a Node.js program (apps/worker) and starts as the image's command."""
