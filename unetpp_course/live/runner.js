// Runs the network in a worker, one request after another, so that the page stays responsive meanwhile.

// The worker's script comes as text, as WORKER_SCRIPT, because a page that was opened from a file may load no worker.
export class Runner {
  constructor(network) {
    const address = URL.createObjectURL(new Blob([WORKER_SCRIPT], { type: "text/javascript" }));
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.answers = new Map();
    this.last = 0;
    this.ready = new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => {
        if (data.ready) return resolve(data.ready);
        if (data.number === undefined) return reject(new Error(data.error));
        const { resolve: answer, reject: fail } = this.answers.get(data.number);
        this.answers.delete(data.number);
        return data.error ? fail(new Error(data.error)) : answer(data);
      };
    });
    this.worker.postMessage({ network });
    this.queue = this.ready;
  }

  // Returns { heads, milliseconds } of the network cut to a depth; null if it is no longer `wanted` when its turn comes.
  run({ grey, height, width }, depth, wanted = () => true) {
    const turn = this.queue.then(() => {
      if (!wanted()) return null;
      const number = (this.last += 1);
      const image = [Float32Array.from(grey, (byte) => byte / 255)];
      return new Promise((resolve, reject) => {
        this.answers.set(number, { resolve, reject });
        this.worker.postMessage({ number, image, height, width, depth });
      });
    });
    this.queue = turn.catch(() => null);
    return turn;
  }

  close() {
    this.worker.terminate();
  }
}
