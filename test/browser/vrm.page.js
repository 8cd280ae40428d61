// Runs in the page: loads VRM files by three-vrm and says what they do. Three.js' module is served as it is.
import * as THREE from 'three';
import { GLTFLoader } from 'three/addons/loaders/GLTFLoader.js';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';
import { VRMLoaderPlugin, VRMUtils } from '@pixiv/three-vrm';

/** Sum of how far the weights of a mesh's morph targets move its vertices, metres. */
function moved(mesh) {
  const positions = mesh.geometry.morphAttributes.position ?? [];
  let sum = 0;
  mesh.morphTargetInfluences?.forEach((weight, target) => {
    if (weight === 0) return;
    const { array } = positions[target];
    for (let i = 0; i < array.length; i++) sum += Math.abs(array[i] * weight);
  });
  return sum;
}

async function load(url) {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const gltf = await loader.loadAsync(url);
  if (!gltf.userData.vrm) throw new Error(`${url} holds no VRM`);
  return gltf.userData.vrm;
}

window.inspectVrm = async (url, boneNames) => {
  const vrm = await load(url);
  const meshes = [];
  vrm.scene.traverse((object) => object.isSkinnedMesh && meshes.push(object));
  const expressions = {};
  for (const { expressionName } of vrm.expressionManager.expressions) {
    vrm.expressionManager.setValue(expressionName, 1);
    vrm.update(1 / 25);
    expressions[expressionName] = meshes.reduce((sum, mesh) => sum + moved(mesh), 0);
    vrm.expressionManager.setValue(expressionName, 0);
  }
  vrm.update(1 / 25);
  vrm.scene.updateMatrixWorld(true);
  const place = (name) => vrm.humanoid.getRawBoneNode(name).getWorldPosition(new THREE.Vector3());
  const shoulder = place('leftUpperArm');
  const elbow = place('leftLowerArm');
  return {
    meta: vrm.meta,
    bones: boneNames.filter((name) => vrm.humanoid.getNormalizedBoneNode(name) && vrm.humanoid.getRawBoneNode(name)),
    expressions,
    still: meshes.reduce((sum, mesh) => sum + moved(mesh), 0),
    armSlope: Math.abs(elbow.y - shoulder.y) / elbow.distanceTo(shoulder),
    lookAt: vrm.lookAt?.applier?.constructor?.type ?? null,
  };
};

/** What three.js finds in any glTF file: counts, names of morph targets, the height, humanoid bones where it is a VRM. */
window.inspectForeign = async (url) => {
  const loader = new GLTFLoader();
  loader.setMeshoptDecoder(MeshoptDecoder);
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const gltf = await loader.loadAsync(url);
  const seen = { triangles: 0, vertices: 0, targets: new Set(), bones: 0 };
  gltf.scene.updateMatrixWorld(true);
  gltf.scene.traverse((object) => {
    if (!object.isMesh) return;
    const { index, attributes } = object.geometry;
    seen.triangles += (index ?? attributes.position).count / 3;
    seen.vertices += attributes.position.count;
    for (const name of Object.keys(object.morphTargetDictionary ?? {})) seen.targets.add(name);
  });
  const { humanoid } = gltf.userData.vrm ?? {};
  seen.bones = humanoid ? Object.keys(humanoid.humanBones).length : null;
  seen.height = new THREE.Box3().setFromObject(gltf.scene, true).getSize(new THREE.Vector3()).y;
  return { ...seen, targets: [...seen.targets] };
};

/** Draws all of them in one row, each making a face and holding up a hand. */
window.drawVrms = async (urls) => {
  const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  renderer.setSize(innerWidth, innerHeight);
  document.body.append(renderer.domElement);
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0x8090a0);
  scene.add(new THREE.HemisphereLight(0xffffff, 0x807060, 2));
  const key = new THREE.DirectionalLight(0xffffff, 2);
  key.position.set(-1, 2, 3);
  scene.add(key);
  const camera = new THREE.PerspectiveCamera(28, innerWidth / innerHeight, 0.1, 20);
  camera.position.set(0, 1.1, 4.6);
  camera.lookAt(0, 0.95, 0);
  for (const [i, url] of urls.entries()) {
    const vrm = await load(url);
    VRMUtils.rotateVRM0(vrm);
    vrm.scene.position.x = (i - (urls.length - 1) / 2) * 1.2;
    vrm.humanoid.getNormalizedBoneNode('leftUpperArm').rotation.z = -1.25;
    vrm.humanoid.getNormalizedBoneNode('rightUpperArm').rotation.z = 0.9;
    vrm.humanoid.getNormalizedBoneNode('rightLowerArm').rotation.set(0, 1.2, -1.2);
    for (const finger of ['Ring', 'Little'])
      for (const bone of ['Proximal', 'Intermediate', 'Distal'])
        vrm.humanoid.getNormalizedBoneNode(`right${finger}${bone}`).rotation.z = 1.3;
    vrm.expressionManager.setValue(['happy', 'aa', 'surprised'][i % 3], 1);
    scene.add(vrm.scene);
    vrm.update(1 / 25);
  }
  renderer.render(scene, camera);
  const pixels = new Set();
  const { data } = (() => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const context = canvas.getContext('2d');
    context.drawImage(renderer.domElement, 0, 0, 64, 64);
    return context.getImageData(0, 0, 64, 64);
  })();
  for (let i = 0; i < data.length; i += 4) pixels.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  return pixels.size;
};
window.ready = true;
