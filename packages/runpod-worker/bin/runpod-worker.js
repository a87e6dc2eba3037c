#!/usr/bin/env node
import "../dist/bin/runpod-worker.js";
