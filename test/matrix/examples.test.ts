import { crashMatrix } from '../kit/crash-matrix.ts';

crashMatrix('examples');
