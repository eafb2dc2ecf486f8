import { expect, it } from 'vitest';
import { catalog } from '../../src/actions/catalog.ts';
import { crashMatrix } from '../kit/crash-matrix.ts';
import { SHAPES } from '../kit/model-graph.ts';

it('every step type has a shape of effect in the model', () => {
  expect(Object.keys(SHAPES).sort()).toEqual(Object.keys(catalog).sort());
});

crashMatrix('runbooks');
