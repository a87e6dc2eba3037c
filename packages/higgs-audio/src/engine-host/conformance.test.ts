import { describeSpeechModel } from "../speech/testing/describe-speech-model.ts";
import { startEngineProcess } from "./engine-process.ts";

describeSpeechModel("in a process of its own", startEngineProcess);
