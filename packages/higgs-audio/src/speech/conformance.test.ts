import { loadSpeechModel } from "./load-speech-model.ts";
import { describeSpeechModel } from "./testing/describe-speech-model.ts";

describeSpeechModel("in this process", loadSpeechModel);
